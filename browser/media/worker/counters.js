/**
 * Counting inner packets: indices that a sender never takes twice, and what a receiver has seen
 * (RFC 3711, Sections 3.3.1 and 3.3.2).
 *
 * An index is ROC · 2^16 + SEQ, below 2^48, and so a JavaScript number holds it exactly.
 */

import { FrameDropped } from "./statistics.js";

const SEQUENCES = 0x10000;
const INDICES = 2 ** 48; // "at most 2^48 SRTP packets", RFC 3711, Section 9.2

/**
 * Inner packets that an audio receiver still takes out of order: twenty seconds of 20 ms frames.
 */
const WINDOW = 1024;

/** Hands out each index once. */
export class SendingIndex {
  #next;

  /**
   * @param {number} first below 2^15, so that receivers that missed the start do not guess the ROC
   *   wrongly
   */
  constructor(first) {
    this.#next = first;
  }

  static random() {
    const [word = 0] = crypto.getRandomValues(new Uint16Array(1));
    return new SendingIndex(word & 0x7fff);
  }

  /** The next index; it must be taken before anything is awaited. */
  take() {
    if (this.#next >= INDICES) throw new FrameDropped("exhausted");
    return this.#next++;
  }
}

/**
 * The index that a sequence number most likely stands for, given the highest one authenticated so
 * far (RFC 3711, Appendix A). Negative, and so never fresh, if it lies before the first ROC.
 *
 * @param {number} highest
 * @param {number} sequence
 */
export function estimateIndex(highest, sequence) {
  const roc = Math.floor(highest / SEQUENCES);
  const last = highest % SEQUENCES;
  if (last < SEQUENCES / 2) {
    return (sequence - last > SEQUENCES / 2 ? roc - 1 : roc) * SEQUENCES + sequence;
  }
  return (last - SEQUENCES / 2 > sequence ? roc + 1 : roc) * SEQUENCES + sequence;
}

/**
 * What a receiver remembers of the indices of one SSRC.
 *
 * @typedef {object} ReplayState
 * @property {number} highest the highest index accepted, -1 before the first
 * @property {(index: number) => boolean} isFresh
 * @property {(index: number) => void} accept
 */

/**
 * Replay window of audio: the last 1024 indices, each once.
 *
 * @implements {ReplayState}
 */
export class ReplayWindow {
  highest = -1;
  #seen = new Uint8Array(WINDOW);

  /** @param {number} index */
  isFresh(index) {
    if (index > this.highest) return true;
    return index > this.highest - WINDOW && index >= 0 && this.#seen[index % WINDOW] === 0;
  }

  /** @param {number} index */
  accept(index) {
    const firstNew = Math.max(this.highest + 1, index - WINDOW + 1);
    for (let skipped = firstNew; skipped < index; skipped++) this.#seen[skipped % WINDOW] = 0;
    this.#seen[index % WINDOW] = 1;
    this.highest = Math.max(this.highest, index);
  }
}

/**
 * Replay state of whole video frames: strictly rising, since a decoder has no use for a frame
 * before the last.
 *
 * @implements {ReplayState}
 */
export class RisingIndex {
  highest = -1;

  /** @param {number} index */
  isFresh(index) {
    return index > this.highest;
  }

  /** @param {number} index */
  accept(index) {
    this.highest = index;
  }
}
