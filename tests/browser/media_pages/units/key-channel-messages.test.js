import assert from "node:assert/strict";
import test from "node:test";
import {
  readMessage,
  writeMessage,
} from "../../../../browser/media/worker/key-channel-messages.js";
import { DecodeError } from "../../../../browser/media/worker/wire.js";

const octets = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const read = (hex) => readMessage(octets(hex).buffer);

const ID = Uint8Array.from({ length: 16 }, (_, index) => index);
const MESSAGES = [
  { type: "ekt_key", key: new Uint8Array(16), salt: new Uint8Array(12), spi: 7, ttl: 300 },
  { type: "announce", sources: [{ ssrc: 0xfffffffe, kind: 1, source: 0 }] },
  { type: "announce", sources: [] },
  { type: "ekt_key_ack", spi: 0xffff },
  {
    type: "roster",
    version: 9,
    you: ID,
    members: [
      {
        id: ID,
        identity: "alice@idp-a.localhost",
        verifiedAt: 1_790_000_000,
        spi: 3,
        sources: [{ ssrc: 1, kind: 0, source: 0 }],
      },
      { id: ID.map((octet) => octet + 1), identity: "ä@b", verifiedAt: 0, spi: 0, sources: [] },
    ],
  },
];

test("read is the inverse of write", () => {
  for (const message of MESSAGES) {
    assert.deepEqual(readMessage(writeMessage(message).buffer), message);
  }
});

test("ekt_key has two-octet lengths and a uint24 lifetime (RFC 8870, Section 5.2.2)", () => {
  const message = { type: "ekt_key", key: octets("aabb"), salt: octets("cc"), spi: 258, ttl: 300 };
  assert.deepEqual(
    writeMessage(message),
    octets("1a00000c" + "0002aabb" + "0001cc" + "0102" + "00012c"),
  );
});

for (const [what, hex] of [
  ["no octets", ""],
  ["an unknown type", "1b000000"],
  ["a truncated body", "f200000201"],
  ["octets behind the message", "f2000002000100"],
  ["octets behind the body", "f200000300010000"],
  ["an empty key", "1a00000a" + "0000" + "0001cc" + "0102" + "00012c"],
  ["a salt of 257 octets", "1a00010d" + "0001aa" + "0101" + "cc".repeat(257) + "0102" + "00012c"],
  ["half a source", "f1000005" + "0003000000"],
  ["an unknown kind of source", "f1000008" + "0006" + "000000010200"],
]) {
  test(`refuses ${what}`, () => assert.throws(() => read(hex), DecodeError));
}

test("refuses an identity that is not UTF-8", () => {
  const roster = writeMessage({ ...MESSAGES[4], members: [MESSAGES[4].members[0]] });
  roster[roster.indexOf("a".charCodeAt(0), 27)] = 0xff;
  assert.throws(() => readMessage(roster.buffer), DecodeError);
});
