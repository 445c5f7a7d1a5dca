/**
 * What was dropped and why. Nothing is dropped uncounted.
 */

/**
 * Senders: `no-key`, `expired`, `not-in-roster`, `closed` as in SendingState; `awaiting-key-frame`:
 * a new receiver of this key could not decode it; `format`: not a codec that this mode carries;
 * `too-large`: would not fit a packet; `exhausted`: no (key, IV) is left.
 *
 * Receivers: `not-in-roster`, `other-speaker`, `awaiting-key-frame`, `malformed`, `unknown-spi`,
 * `unwrap-failed`, `key-length`, `no-key`, `replayed`, `not-authentic`, `contributing-sources`
 * (none is ever added: RFC 8723, Section 4), `reflected`: our own, sent back to us; `closed`.
 *
 * `internal`: an error of this Worker; the frame is dropped as well.
 *
 * @typedef {"no-key" | "expired" | "not-in-roster" | "closed" | "awaiting-key-frame" | "format" |
 *   "too-large" | "exhausted" | "other-speaker" | "malformed" | "unknown-spi" | "unwrap-failed" |
 *   "key-length" | "replayed" | "not-authentic" | "contributing-sources" | "reflected" |
 *   "internal"} DropReason
 */

/** A frame that must not pass. Thrown where it is found, counted in one place. */
export class FrameDropped extends Error {
  /** @override */
  name = "FrameDropped";

  /** @param {DropReason} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Counters of one stream: `passed`, the reasons of drops, `key-frame-refused` requests, and
 * `field-…` for EKTFields that were put aside while their frame went on.
 */
export class Statistics {
  /** @type {Map<string, number>} */
  #counts = new Map();

  /**
   * @param {DropReason | "passed" | "key-frame-refused" | "field-epoch" | "field-ssrc" |
   *   "field-unknown-type"} what
   */
  count(what) {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** @returns {Record<string, number>} */
  snapshot() {
    return Object.fromEntries(this.#counts);
  }
}
