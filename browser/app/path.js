/**
 * The network path of an endpoint. When it fails another one is looked for by an ICE restart (RFC
 * 8445, Section 9): an offer of the same endpoint. The DTLS association goes on, and with it keys
 * and packet counters.
 */

/** Milliseconds that a path may be silent: many come back by themselves. */
const PATIENCE = 1_000;

/** Milliseconds from an answer to a new path. */
const CHECKING_LIMIT = 5_000;

/** Milliseconds after which the Media Distributor has given the endpoint up (RFC 7675, Section 5.1). */
const CONSENT_LIMIT = 30_000;

const LOST = ["disconnected", "failed"];

/** The path was lost, and no other was found: the endpoint is gone for everyone else. */
export class PathLost extends Error {
  /** @override */
  name = "PathLost";
}

/**
 * Events: `lost`, `found`, and `given-up` when the Media Distributor does not know the endpoint any
 * more.
 */
export class Path extends EventTarget {
  #pc;
  #negotiate;
  #isTrying = false;

  /**
   * @param {RTCPeerConnection} pc
   * @param {() => Promise<void>} negotiate offers again
   */
  constructor(pc, negotiate) {
    super();
    this.#pc = pc;
    this.#negotiate = negotiate;
  }

  /** From now on there is a path that can be lost. */
  watch() {
    this.#pc.addEventListener("iceconnectionstatechange", () => this.#look());
    this.#look();
  }

  get #isLost() {
    return LOST.includes(this.#pc.iceConnectionState);
  }

  async #look() {
    if (!this.#isLost || this.#isTrying) return;
    this.#isTrying = true;
    await this.#settled(PATIENCE);
    if (this.#isLost) {
      this.dispatchEvent(new Event("lost"));
      const isFound = await this.#restart();
      this.dispatchEvent(new Event(isFound ? "found" : "given-up"));
    }
    this.#isTrying = false;
  }

  /** @returns {Promise<boolean>} whether there is a path again */
  async #restart() {
    const deadline = performance.now() + CONSENT_LIMIT;
    while (this.#isLost && performance.now() < deadline) {
      this.#pc.restartIce();
      try {
        await this.#negotiate();
      } catch (error) {
        if (isUnknown(error)) return false;
        // The server cannot be reached either, or the host is away for a moment.
        await new Promise((resolve) => setTimeout(resolve, PATIENCE));
        continue;
      }
      await this.#settled(CHECKING_LIMIT);
    }
    return !this.#isLost;
  }

  /**
   * Waits until the path works, but not longer than it may.
   *
   * @param {number} limit in milliseconds
   * @returns {Promise<void>}
   */
  #settled(limit) {
    return new Promise((resolve) => {
      const pc = this.#pc;
      const look = () => {
        if (this.#isLost || pc.iceConnectionState === "checking") return;
        end();
      };
      const end = () => {
        clearTimeout(timer);
        pc.removeEventListener("iceconnectionstatechange", look);
        resolve();
      };
      const timer = setTimeout(end, limit);
      pc.addEventListener("iceconnectionstatechange", look);
      look();
    });
  }
}

/** @param {unknown} error */
function isUnknown(error) {
  const { kind } = /** @type {{ kind?: string }} */ (
    (error instanceof Error && error.cause) || error || {}
  );
  return kind === "no-such-endpoint";
}
