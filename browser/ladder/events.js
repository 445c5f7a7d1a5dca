/**
 * The event log of the call flow: which of the numbered steps has happened, in order.
 *
 * The page learns of some steps from others (the Media Distributor's by way of call processing),
 * and so later than of their successors. Such a step is put where it belongs.
 */

import { STEPS } from "./steps.js";

/** Entries kept; a conference of 25 has fewer than 1000 steps. */
const MAXIMUM_ENTRIES = 5000;

/**
 * @typedef {import("./steps.js").Step & { at: number, detail: object }} Entry `at`: milliseconds
 *   since navigation, when the page learnt of it
 */

/** The log; an `entry` event for each new one, with the entry and its position as detail. */
class EventLog extends EventTarget {
  /** @type {Entry[]} */
  entries = [];

  /** @param {Entry} entry */
  insert(entry) {
    if (this.entries.length >= MAXIMUM_ENTRIES) return;
    const position = positionOf(entry, this.entries);
    this.entries.splice(position, 0, entry);
    this.dispatchEvent(new CustomEvent("entry", { detail: { entry, position } }));
  }
}

export const eventLog = new EventLog();

/**
 * Records that a step has happened.
 *
 * @param {string} step such as "4.1.3 (2)"
 * @param {object} [detail] plain values; never a secret
 */
export function report(step, detail = {}) {
  const known = STEPS.get(step);
  if (known === undefined) throw new RangeError(`there is no step ${step}`);
  eventLog.insert({ ...known, at: performance.now(), detail });
}

/**
 * The end, unless later steps of the same run are there already. A run starts with step 1 of its
 * section.
 *
 * @param {Entry} entry
 * @param {Entry[]} entries
 */
function positionOf(entry, entries) {
  let position = entries.length;
  for (let index = entries.length - 1; index >= 0; index--) {
    const other = entries[index];
    if (other?.section !== entry.section) continue;
    if (other.number <= entry.number) return entry.number === 1 ? entries.length : position;
    position = index;
  }
  return position;
}
