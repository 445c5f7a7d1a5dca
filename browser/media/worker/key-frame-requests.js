/** Asks for key frames, but not again before the last request could have been answered. */

/** Milliseconds: longer than a round trip and an encoder need, short enough not to be noticed when a request is lost. */
const PATIENCE = 500;

/** Requests of one stream. */
export class KeyFrameRequests {
  #ask;
  #statistics;
  #askedAt = -Infinity;

  /**
   * @param {() => Promise<unknown>} ask
   * @param {import("./statistics.js").Statistics} statistics
   */
  constructor(ask, statistics) {
    this.#ask = ask;
    this.#statistics = statistics;
  }

  /** @param {number} now milliseconds */
  request(now) {
    if (now - this.#askedAt < PATIENCE) return;
    this.#askedAt = now;
    // The browser refuses while the stream is not running yet; the next frame asks again.
    this.#ask().catch(() => this.#statistics.count("key-frame-refused"));
  }
}
