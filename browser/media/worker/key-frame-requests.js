/** Asks for key frames, but not again before the last request could have been answered. */

/**
 * Milliseconds: longer than a round trip and an encoder need, short enough not to be noticed when a
 * request is lost.
 */
const PATIENCE = 500;

/** Requests of one stream. */
export class KeyFrameRequests {
  #ask;
  #askedAt = -Infinity;

  /** @param {() => void} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /** @param {number} now milliseconds */
  request(now) {
    if (now - this.#askedAt < PATIENCE) return;
    this.#askedAt = now;
    this.#ask();
  }
}
