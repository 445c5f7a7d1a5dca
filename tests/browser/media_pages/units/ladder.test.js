import assert from "node:assert/strict";
import test, { beforeEach } from "node:test";
import { eventLog, report } from "../../../../browser/ladder/events.js";
import { JOIN_STEPS, STEPS } from "../../../../browser/ladder/steps.js";

const logged = () => eventLog.entries.map(({ step }) => step);

beforeEach(() => eventLog.entries.splice(0));

test("the call flow has 68 steps", () => {
  assert.equal(STEPS.size, 68);
  assert.equal(JOIN_STEPS.participant.offer(9), "4.1.6 (11)");
});

test("a step that is not in the call flow is a mistake", () => {
  assert.throws(() => report("4.1.4 (5)"), RangeError);
});

test("a step that is heard of late stands where it belongs", () => {
  for (const number of [1, 2, 7, 10, 8, 9, 11]) report(`4.1.1 (${number})`);
  assert.deepEqual(
    logged(),
    [1, 2, 7, 8, 9, 10, 11].map((number) => `4.1.1 (${number})`),
  );
});

test("a late step passes over steps of other sections", () => {
  for (const step of ["4.1.7 (1)", "4.1.8 (1)", "4.1.7 (10)", "4.1.7 (9)"]) report(step);
  assert.deepEqual(logged(), ["4.1.7 (1)", "4.1.8 (1)", "4.1.7 (9)", "4.1.7 (10)"]);
});

test("the next participant's steps follow the last one's", () => {
  for (const number of [1, 2, 10, 1, 2, 10]) report(`4.1.7 (${number})`);
  assert.deepEqual(
    logged(),
    [1, 2, 10, 1, 2, 10].map((number) => `4.1.7 (${number})`),
  );
});
