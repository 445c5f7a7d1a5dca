import assert from "node:assert/strict";
import test from "node:test";
import { ParameterSets } from "../../../../browser/media/worker/parameter-sets.js";
import { FORMATS } from "../../../../browser/media/worker/payload-format.js";
import { InnerSender } from "../../../../browser/media/worker/sender.js";
import { SendStream } from "../../../../browser/media/worker/send-stream.js";
import { Roster } from "../../../../browser/media/worker/roster.js";
import { ektKey } from "./octets.js";

const SSRC = 0xdecafbad;
const SLOT = 3;

/** What a SendStream needs of a session: keys without a Key Distributor. */
class StandInSession {
  roster = new Roster();
  posted = [];
  #sets = new ParameterSets();
  #sender = new InnerSender(SSRC, FORMATS.video);
  #version = 0;

  post(message) {
    this.posted.push(message);
  }

  outboundSet(ssrc, now) {
    return this.#sets.outbound(now);
  }

  senderOf() {
    return this.#sender;
  }

  /** A rekey, and the roster that comes with it. */
  async rekey(spi, present, now) {
    const pair = String(spi).padStart(2, "0");
    await this.#sets.install(
      ektKey({ key: pair.repeat(16), salt: pair.repeat(12), spi, ttl: 300 }),
      now,
    );
    const member = { identity: "name@idp", verifiedAt: 0, spi, sources: [] };
    const members = present.map((number) => ({ ...member, id: new Uint8Array(16).fill(number) }));
    this.roster.update({ version: ++this.#version, you: members[0].id, members });
  }
}

function frame(type, timestamp) {
  const metadata = { synchronizationSource: SSRC, payloadType: 96, mimeType: "video/VP8" };
  const getMetadata = () => ({ ...metadata, rtpTimestamp: timestamp });
  return { type, data: new ArrayBuffer(8), getMetadata };
}

test("the encoder is asked for a key frame when a key changes for somebody who came", async () => {
  const session = new StandInSession();
  const stream = new SendStream(session, { kind: "video", slot: SLOT });
  const asked = [];
  const send = async (from, to) => {
    for (let now = from; now < to; now += 50) {
      await stream.process(frame(now === 0 ? "key" : "delta", now * 90), now);
      asked.push(...session.posted.splice(0).map((message) => ({ ...message, now })));
    }
  };
  await session.rekey(1, [1, 2], 0);
  await send(0, 1000);
  await session.rekey(2, [1, 2, 3], 1000);
  await send(1000, 2000);
  await session.rekey(3, [1, 2], 2000);
  await send(2000, 3000);
  assert.deepEqual(asked, [{ op: "key-frame", slot: SLOT, now: 1250 }]);
});
