import assert from "node:assert/strict";
import test from "node:test";
import { BackOff } from "../../../../browser/app/back-off.js";

const network = new EventTarget();
globalThis.addEventListener = network.addEventListener.bind(network);

/** Whether a promise has been settled by now. */
async function isOver(promise) {
  const pending = Symbol("pending");
  await null;
  return (await Promise.race([promise, pending])) !== pending;
}

test("each wait is twice as long as the one before, up to a limit, until it works", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const backOff = new BackOff();
  for (const delay of [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
    const wait = backOff.wait();
    t.mock.timers.tick(delay - 1);
    assert.equal(await isOver(wait), false);
    t.mock.timers.tick(1);
    assert.equal(await isOver(wait), true);
  }
  backOff.reset();
  const wait = backOff.wait();
  t.mock.timers.tick(250);
  assert.equal(await isOver(wait), true);
});

test("a wait ends when the network is back", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const wait = new BackOff().wait();
  assert.equal(await isOver(wait), false);
  network.dispatchEvent(new Event("online"));
  assert.equal(await isOver(wait), true);
});

test("a wait ends when nobody waits any more, and does not begin then", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const waiting = new AbortController();
  const wait = new BackOff().wait(waiting.signal);
  waiting.abort();
  assert.equal(await isOver(wait), true);
  assert.equal(await isOver(new BackOff().wait(waiting.signal)), true);
});
