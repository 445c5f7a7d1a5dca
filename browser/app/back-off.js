/** How long to wait before what a network or a server has refused is tried again. */

/** Milliseconds until the first try, and between the tries at most. */
const FIRST_DELAY = 250;
const LONGEST_DELAY = 5_000;

/** Each wait is twice as long as the one before, and none is longer than the network is away. */
export class BackOff {
  #delay = FIRST_DELAY;

  /** @param {AbortSignal} [signal] ends the wait */
  async wait(signal) {
    const delay = this.#delay;
    this.#delay = Math.min(2 * delay, LONGEST_DELAY);
    await passed(delay, signal);
  }

  /** It worked: the next wait is a short one again. */
  reset() {
    this.#delay = FIRST_DELAY;
  }
}

/**
 * Waits, but not longer than the network is away.
 *
 * @param {number} delay in milliseconds
 * @param {AbortSignal} [signal] ends the wait
 * @returns {Promise<void>}
 */
export function passed(delay, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const waiting = new AbortController();
    const end = () => {
      clearTimeout(timer);
      waiting.abort();
      resolve();
    };
    const timer = setTimeout(end, delay);
    addEventListener("online", end, { signal: waiting.signal });
    signal?.addEventListener("abort", end, { signal: waiting.signal });
  });
}
