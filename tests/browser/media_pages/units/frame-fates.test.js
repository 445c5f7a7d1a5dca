import assert from "node:assert/strict";
import test from "node:test";
import { describe, sumUp } from "../../../../browser/media/frame-fates.js";

test("frames that passed and those that were dropped, by their reason, over all slots", () => {
  const fates = sumUp([{ passed: 3, "no-key": 1 }, { passed: 4, "no-key": 1, malformed: 5 }, {}]);
  assert.deepEqual(fates, { passed: 7, dropped: { "no-key": 2, malformed: 5 } });
  assert.equal(describe(fates), "7, 7 dropped (malformed 5, no-key 2)");
});

test("what is counted of requests and fields is no frame", () => {
  const fates = sumUp([{ "key-frame-refused": 1, "field-epoch": 2, "field-ssrc": 3 }]);
  assert.deepEqual(fates, { passed: 0, dropped: {} });
  assert.equal(describe(fates), "0, none dropped");
});
