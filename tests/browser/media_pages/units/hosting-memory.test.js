import assert from "node:assert/strict";
import test from "node:test";
import { HostingMemory } from "../../../../browser/app/hosting-memory.js";

/** As the Web Locks API has it; Node does not. */
class Locks {
  #held = new Set();
  #waiting = [];

  async request(name, { signal }, use) {
    if (this.#held.has(name)) {
      await new Promise((resolve, reject) => {
        this.#waiting.push(resolve);
        signal.addEventListener("abort", () => {
          this.#waiting = this.#waiting.filter((each) => each !== resolve);
          reject(signal.reason);
        });
      });
    }
    this.#held.add(name);
    await use();
    this.#held.delete(name);
    this.#waiting.shift()?.();
  }
}

/** A browser, in which pages have a memory of the same room. */
function browser() {
  const items = new Map();
  const storage = {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => items.set(name, value),
    removeItem: (name) => items.delete(name),
  };
  // Later versions of Node have a navigator, which cannot be assigned to.
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: { locks: new Locks() },
  });
  globalThis.localStorage = storage;
  globalThis.sessionStorage = storage;
}

test("one page holds a room; the next one when that has let it go", async () => {
  browser();
  const [one, other] = [new HostingMemory("room"), new HostingMemory("room")];
  assert.equal(await one.hold(), true);
  assert.equal(await one.hold(), true);
  const held = other.hold();
  one.release();
  assert.equal(one.isHeld, false);
  assert.equal(await held, true);
  assert.equal(other.isHeld, true);
});

test("a page that does not want the room any more does not get it later", async () => {
  browser();
  const [one, other] = [new HostingMemory("room"), new HostingMemory("room")];
  await one.hold();
  const held = other.hold();
  other.release();
  assert.equal(await held, false);
  one.release();
  assert.equal(await new HostingMemory("room").hold(), true);
  assert.equal(other.isHeld, false);
});

test("a page that does not want the room as it gets it has not got it", async () => {
  browser();
  const memory = new HostingMemory("room");
  const held = memory.hold();
  memory.release();
  await held;
  assert.equal(memory.isHeld, false);
  assert.equal(await new HostingMemory("room").hold(), true);
});

test("a claim is dropped only if it is the one that is kept", () => {
  browser();
  const memory = new HostingMemory("room");
  memory.keepClaim("newer");
  memory.dropClaim("older");
  assert.equal(memory.claim, "newer");
  memory.dropClaim("newer");
  assert.equal(memory.claim, null);
});
