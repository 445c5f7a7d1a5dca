import assert from "node:assert/strict";
import test from "node:test";
import { TunnelKeeper } from "../../../../browser/app/tunnel-keeper.js";

const network = new EventTarget();
globalThis.addEventListener = network.addEventListener.bind(network);

/** A Key Distributor whose tunnel has just been lost, and what its keeper says of it. */
function lost(t, connect) {
  let now = 0;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  const distributor = Object.assign(new EventTarget(), { connectionState: "disconnected" });
  const keeper = new TunnelKeeper(distributor, connect);
  const said = [];
  for (const name of ["lost", "found", "given-up"])
    keeper.addEventListener(name, () => said.push(name));
  distributor.dispatchEvent(new Event("connectionstatechange"));
  const pass = async (milliseconds) => {
    now += milliseconds;
    t.mock.timers.tick(milliseconds);
    for (let turn = 0; turn < 10; turn++) await null;
  };
  return { keeper, said, pass };
}

const refuse = () => Promise.reject(new Error("refused"));

test("a tunnel that is lost is got back", async (t) => {
  const answers = [refuse, refuse, () => Promise.resolve()];
  const { said, pass } = lost(t, () => answers.shift()());
  assert.deepEqual(said, ["lost"]);
  await pass(250);
  await pass(500);
  assert.deepEqual(said, ["lost"]);
  await pass(1_000);
  assert.deepEqual(said, ["lost", "found"]);
});

test("when the endpoints' keys have expired it is given up", async (t) => {
  const { said, pass } = lost(t, refuse);
  for (let second = 0; second < 299; second++) await pass(1_000);
  assert.deepEqual(said, ["lost"]);
  for (let second = 0; second < 6; second++) await pass(1_000);
  assert.deepEqual(said, ["lost", "given-up"]);
});

test("whoever ends the conference meanwhile hears no more of it", async (t) => {
  const { keeper, said, pass } = lost(t, refuse);
  keeper.end();
  await pass(300_000);
  assert.deepEqual(said, ["lost"]);
});
