/**
 * What the page should say besides its state.
 *
 * @typedef {"events-lost" | "host-away" | "tunnel-lost" | "tunnel-gone" | "keys-expired"
 *   | "key-channel-closed" | "path-lost" | "fingerprint-failure" | "decision-failed"} Notice
 */

/** @type {readonly Notice[]} of the page, whatever becomes of a call */
const OF_THE_PAGE = ["events-lost"];

/** @type {readonly Notice[]} */
const OF_AN_ENDPOINT = ["host-away", "keys-expired", "key-channel-closed", "path-lost"];

/** The notices that hold; `change` when others do. */
export class Notices extends EventTarget {
  /** @type {Set<Notice>} */
  #holding = new Set();

  [Symbol.iterator]() {
    return this.#holding.values();
  }

  /**
   * @param {Notice} notice
   * @param {boolean} holds
   */
  set(notice, holds) {
    if (this.#holding.has(notice) === holds) return;
    if (holds) this.#holding.add(notice);
    else this.#holding.delete(notice);
    this.dispatchEvent(new Event("change"));
  }

  /** This page's endpoint is given up, and another takes its place. */
  endEndpoint() {
    for (const notice of OF_AN_ENDPOINT) this.set(notice, false);
  }

  /** The call is over. */
  endCall() {
    for (const notice of [...this.#holding])
      if (!OF_THE_PAGE.includes(notice)) this.set(notice, false);
  }
}
