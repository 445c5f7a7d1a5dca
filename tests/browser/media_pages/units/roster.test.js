import assert from "node:assert/strict";
import test from "node:test";
import { Roster } from "../../../../browser/media/worker/roster.js";
import { DecodeError } from "../../../../browser/media/worker/wire.js";

const id = (number) => new Uint8Array(16).fill(number);
const source = (ssrc) => ({ ssrc, kind: 0, source: 0 });

function message(version, sourcesByMember) {
  const members = sourcesByMember.map((ssrcs, number) => ({
    id: id(number),
    identity: `member${number}@idp`,
    verifiedAt: 0,
    spi: 1,
    sources: ssrcs.map(source),
  }));
  return { version, you: id(0), members };
}

test("the same roster may come again, and brings nobody", () => {
  const roster = new Roster();
  roster.update(message(2, [[1], [2]]));
  roster.update(message(2, [[1], [2]]));
  assert.equal(roster.arrivals, 2);
  assert.ok(roster.isMine(1) && !roster.isMine(2));
});

test("an older roster is refused", () => {
  const roster = new Roster();
  roster.update(message(2, [[1]]));
  assert.throws(() => roster.update(message(1, [[1]])), DecodeError);
});

test("an SSRC of two members is refused", () => {
  assert.throws(() => new Roster().update(message(1, [[7], [7]])), DecodeError);
});
