import assert from "node:assert/strict";
import test from "node:test";
import { Clock } from "../../../../browser/media/worker/clock.js";

/** A computer whose two clocks the test moves. */
function computer() {
  const time = { awake: 1_000, ofDay: 1_700_000_000_000 };
  const clock = new Clock(
    () => time.awake,
    () => time.ofDay,
  );
  const pass = (/** @type {number} */ awake, ofDay = awake) => {
    time.awake += awake;
    time.ofDay += ofDay;
    return clock.now();
  };
  return { clock, pass };
}

test("time that passes awake is the Worker's own", () => {
  const { clock, pass } = computer();
  assert.equal(clock.now(), 1_000);
  assert.equal(pass(400_000), 401_000);
});

test("a sleep counts, and counts once", () => {
  const { clock, pass } = computer();
  assert.equal(pass(10, 3_600_000), 3_601_000);
  assert.equal(clock.now(), 3_601_000);
  assert.equal(pass(10), 3_601_010);
  assert.equal(pass(0, 60_000), 3_661_010);
});

test("a time of day that drifts or is set back changes nothing", () => {
  const { pass } = computer();
  for (let count = 1; count <= 100; count++) pass(1_000, 1_100);
  assert.equal(pass(0, -3_600_000), 101_000);
  assert.equal(pass(1_000), 102_000);
});
