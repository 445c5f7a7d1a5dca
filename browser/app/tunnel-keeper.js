/**
 * Gets a lost tunnel back: the same Key Distributor connects to the same Media Distributor again,
 * and the endpoints' associations go on.
 */

import { BackOff } from "./back-off.js";

/** Milliseconds for which endpoints have keys: for as long their associations wait for a tunnel. */
const LIMIT = 300_000;

/**
 * Events: `lost`; then `found` when the tunnel stands again, or `given-up` when it did not in time.
 */
export class TunnelKeeper extends EventTarget {
  #distributor;
  #connect;
  #ending = new AbortController();
  #isTrying = false;

  /**
   * @param {EventTarget & { connectionState: string }} distributor one that is connected
   * @param {() => Promise<void>} connect
   */
  constructor(distributor, connect) {
    super();
    this.#distributor = distributor;
    this.#connect = connect;
    const { signal } = this.#ending;
    distributor.addEventListener("connectionstatechange", () => this.#look(), { signal });
  }

  /** Tries no more. */
  end() {
    this.#ending.abort();
  }

  async #look() {
    const isLost = ["disconnected", "failed"].includes(this.#distributor.connectionState);
    if (!isLost || this.#isTrying) return;
    this.#isTrying = true;
    this.dispatchEvent(new Event("lost"));
    const isFound = await this.#tryAgain();
    this.#isTrying = false;
    if (!this.#ending.signal.aborted) this.dispatchEvent(new Event(isFound ? "found" : "given-up"));
  }

  async #tryAgain() {
    const deadline = performance.now() + LIMIT;
    const backOff = new BackOff();
    while (performance.now() < deadline) {
      await backOff.wait(this.#ending.signal);
      if (this.#ending.signal.aborted) return false;
      const isConnected = await this.#connect().then(
        () => true,
        () => false,
      );
      if (isConnected) return true;
    }
    return false;
  }
}
