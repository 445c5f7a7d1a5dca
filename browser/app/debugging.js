/**
 * Debugging of the Key Distributor in this page. The flag is set by hand, in the developer tools;
 * no link can set it:
 *
 *     sessionStorage.setItem("perc:debug", "trace key-log"); location.reload();
 *
 * Nothing leaves the page unless its user saves it (`view/debugging.js`).
 */

import { debugWorkers } from "../key-distributor/worker-client.js";
import { DEBUG_RECORDS } from "../key-distributor/messages.js";

/** @typedef {import("../key-distributor/messages.js").DebugRecord} DebugRecord */

const FLAG = "perc:debug";

/** Lines that are kept of a record: an hour of a conference of ten, in a few megabytes. */
const CAPACITY = 10_000;

/** The newest lines of one record. */
export class Lines {
  /** @type {string[]} */
  #lines = [];
  #capacity;
  #dropped = 0;

  /** @param {number} [capacity] */
  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** @param {string} line */
  add(line) {
    this.#lines.push(line);
    if (this.#lines.length <= this.#capacity) return;
    this.#lines.shift();
    this.#dropped += 1;
  }

  /**
   * @param {(dropped: number) => string} note the first line, if older lines were dropped
   * @returns {string} the content of a file
   */
  text(note) {
    const first = this.#dropped === 0 ? [] : [note(this.#dropped)];
    return [...first, ...this.#lines].map((line) => `${line}\n`).join("");
  }
}

/** What this page's Key Distributors have written; `start` when the first of them begins to. */
export class Debugging extends EventTarget {
  /** @type {ReadonlyMap<DebugRecord, Lines>} */
  records;
  hasStarted = false;

  /** @param {string} words of the flag */
  constructor(words) {
    super();
    const asked = words.split(/\s+/).filter((word) => word !== "");
    const unknown = asked.filter((word) => !DEBUG_RECORDS.some((record) => record === word));
    if (unknown.length > 0)
      // eslint-disable-next-line no-console -- the flag was set in the developer tools
      console.warn(`${FLAG}: unknown: ${unknown.join(" ")}; known are ${DEBUG_RECORDS.join(" ")}`);
    const records = DEBUG_RECORDS.filter((record) => asked.includes(record));
    this.records = new Map(records.map((record) => [record, new Lines()]));
  }

  /** A Worker starts that writes the records. */
  start() {
    this.hasStarted = true;
    this.dispatchEvent(new Event("start"));
  }

  /** @param {import("../key-distributor/messages.js").DebugLine} line */
  write({ debug, line }) {
    this.records.get(debug)?.add(line);
  }
}

/** The page's own. */
export const debugging = new Debugging(sessionStorage.getItem(FLAG) ?? "");
if (debugging.records.size > 0) debugWorkers(debugging);
