import assert from "node:assert/strict";
import test from "node:test";
import { readSendingSources } from "../../../../browser/media/sending-sources.js";

const section = (...lines) => lines.join("\r\n");

const OFFER = section(
  "v=0",
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  "a=mid:0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=sendonly",
  "a=ssrc:11 cname:x",
  "a=ssrc:11 msid:- y",
  "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
  "a=sendonly",
  "a=ssrc-group:FID 21 22",
  "a=ssrc:21 cname:x",
  "a=ssrc:22 cname:x",
  "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
  "a=recvonly",
  "a=ssrc:31 cname:x",
  "",
);

test("sending sections have sources; retransmissions and receiving sections do not count", () => {
  assert.deepEqual(readSendingSources(OFFER), [
    { ssrc: 11, kind: "audio", origin: "camera" },
    { ssrc: 21, kind: "video", origin: "camera" },
  ]);
});

test("an SDP without media has none", () => {
  assert.deepEqual(readSendingSources("v=0\r\n"), []);
});
