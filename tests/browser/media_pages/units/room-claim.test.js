import assert from "node:assert/strict";
import test from "node:test";
import { HostedElsewhere, RoomClaim } from "../../../../browser/app/room-claim.js";

const network = new EventTarget();
globalThis.addEventListener = network.addEventListener.bind(network);

const { signal } = new AbortController();

/** A page with its memory, and a server that says what it is told to. */
class Page {
  log = [];
  memory = new Memory(this.log);
  /** Whether the server hears what is said to it. */
  isHeard = true;
  /** Resolves to what the server answers to a start. */
  starting = Promise.resolve({ claim: "new" });

  constructor() {
    const startConference = (_fingerprint, claim) => {
      this.log.push(`start ${claim}`);
      return this.starting;
    };
    const end = async (claim) => {
      this.log.push(`end ${claim}`);
      return this.isHeard;
    };
    this.claim = new RoomClaim(this.memory, { startConference, end });
  }

  /** It has opened the room. */
  static async opened() {
    const page = new Page();
    await page.claim.take(signal);
    await page.claim.start("fingerprint");
    page.log.length = 0;
    return page;
  }
}

class Memory {
  claim = null;
  isHeld = false;
  canBeHeld = true;

  constructor(log) {
    this.log = log;
  }

  async hold() {
    this.isHeld = this.canBeHeld;
    return this.isHeld;
  }

  release() {
    this.isHeld = false;
  }

  forget() {
    this.log.push("forget");
  }

  keepClaim(claim) {
    this.claim = claim;
  }

  dropClaim() {
    this.claim = null;
  }
}

async function settle() {
  for (let turn = 0; turn < 20; turn++) await null;
}

test("without a tunnel the server is told at once", async () => {
  const page = await Page.opened();
  page.claim.giveUp(false);
  await settle();
  assert.deepEqual(page.log, ["forget", "end new"]);
  assert.deepEqual([page.memory.claim, page.memory.isHeld], [null, false]);
});

test("with a tunnel the goodbye goes first", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const page = await Page.opened();
  page.claim.giveUp(true);
  await settle();
  t.mock.timers.tick(999);
  await settle();
  assert.deepEqual(page.log, ["forget"]);
  t.mock.timers.tick(1);
  await settle();
  assert.deepEqual(page.log, ["forget", "end new"]);
});

test("a page that goes says it at once, and once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const page = await Page.opened();
  page.isHeard = false;
  page.claim.giveUp(true);
  page.claim.hurry();
  await settle();
  assert.deepEqual(page.log, ["forget", "end new"]);
  assert.equal(page.memory.claim, "new", "it opens the room again");
});

test("what the server did not hear is said again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const page = await Page.opened();
  page.isHeard = false;
  page.claim.giveUp(false);
  await settle();
  assert.equal(page.memory.isHeld, true);
  page.isHeard = true;
  t.mock.timers.tick(250);
  await settle();
  assert.deepEqual(page.log, ["forget", "end new", "end new"]);
  assert.deepEqual([page.memory.claim, page.memory.isHeld], [null, false]);
});

test("whoever hosts the room again has ended the conference of before", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const page = await Page.opened();
  page.claim.giveUp(true);
  await page.claim.take(signal);
  await page.claim.start("fingerprint");
  assert.deepEqual(page.log, ["forget", "end new", "start null"]);
  assert.equal(page.memory.isHeld, true);
});

test("a conference that could not be ended is started again by its claim", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const page = await Page.opened();
  page.isHeard = false;
  page.claim.giveUp(false);
  await page.claim.take(signal);
  await page.claim.start("fingerprint");
  assert.equal(page.log.at(-1), "start new");
});

test("what is started when it is given up is ended as soon as its claim is known", async () => {
  const page = new Page();
  let answer;
  page.starting = new Promise((resolve) => (answer = resolve));
  await page.claim.take(signal);
  const started = page.claim.start("fingerprint");
  page.claim.giveUp(false);
  await settle();
  assert.deepEqual(page.log, ["start null", "forget"]);
  answer({ claim: "late" });
  await started;
  await settle();
  assert.equal(page.log.at(-1), "end late");
  assert.equal(page.memory.claim, null);
});

test("a start that failed leaves nothing to end", async () => {
  const page = new Page();
  page.starting = Promise.reject(new Error("full"));
  await page.claim.take(signal);
  await assert.rejects(page.claim.start("fingerprint"), /full/);
  page.claim.giveUp(false);
  await settle();
  assert.deepEqual(page.log, ["start null", "forget"]);
  assert.equal(page.memory.isHeld, false);
});

test("another page's conference is neither taken over nor ended", async () => {
  const page = new Page();
  page.memory.claim = "of another page";
  page.memory.canBeHeld = false;
  await assert.rejects(page.claim.take(signal), HostedElsewhere);
  page.claim.giveUp(false);
  await settle();
  assert.deepEqual(page.log, ["forget"]);
  assert.equal(page.memory.claim, "of another page");
});

test("a conference that the server has ended is not ended again", async () => {
  const page = await Page.opened();
  page.claim.lapse();
  await settle();
  assert.deepEqual(page.log, ["forget"]);
  assert.deepEqual([page.memory.claim, page.memory.isHeld], [null, false]);
});

test("whoever does not want the room any more does not take it", async () => {
  const page = new Page();
  await assert.rejects(page.claim.take(AbortSignal.abort()), { name: "AbortError" });
  assert.equal(page.memory.isHeld, false);
});
