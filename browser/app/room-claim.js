/**
 * This page's claim to its room: from the wish to host it until the server knows that it is over.
 *
 * A Key Distributor with a tunnel ends the conference through it: endpoints and Media Distributor
 * hear it by their own keys. The server is told as well, by the capability that it gave to whoever
 * started the conference: without a tunnel nobody else would say so, for 300 s.
 */

import { BackOff, passed } from "./back-off.js";

/** Milliseconds in which what is said through a tunnel has arrived: the server is not to be quicker. */
const GOODBYE = 1_000;

/** Milliseconds after which a conference without a tunnel has ended by itself. */
const LIMIT = 300_000;

/** Another page of this browser hosts the room. */
export class HostedElsewhere extends Error {
  /** @override */
  name = "HostedElsewhere";

  constructor() {
    super("another page of this browser hosts the room");
  }
}

/** The claim of one page, to one room. */
export class RoomClaim {
  #memory;
  #signalling;
  /** @type {Promise<unknown>} of 4.1.1 (7): there may be a claim that this page does not know yet */
  #starting = Promise.resolve();
  /** The last word on the conference of before. */
  #lastWord = Promise.resolve();
  #hurrying = new AbortController();

  /**
   * @param {import("./hosting-memory.js").HostingMemory} memory
   * @param {import("./signalling.js").Signalling} signalling
   */
  constructor(memory, signalling) {
    this.#memory = memory;
    this.#signalling = signalling;
  }

  /**
   * Makes this page the one that hosts the room, after what there was to say of the conference of
   * before.
   *
   * @param {AbortSignal} signal
   * @throws {HostedElsewhere}
   */
  async take(signal) {
    this.hurry();
    await this.#lastWord;
    signal.throwIfAborted();
    if (!(await this.#memory.hold())) throw new HostedElsewhere();
  }

  /**
   * 4.1.1 (7), in the place of a conference of before.
   *
   * @param {string} fingerprint
   */
  start(fingerprint) {
    const starting = this.#start(fingerprint);
    this.#starting = starting.catch(() => {});
    return starting;
  }

  /**
   * This page ends its conference.
   *
   * @param {boolean} hasTunnel through which its Key Distributor says so
   */
  giveUp(hasTunnel) {
    this.#memory.forget();
    if (!this.#memory.isHeld) return this.#memory.release();
    this.#hurrying = new AbortController();
    const { signal } = this.#hurrying;
    this.#lastWord = this.#lastWord.then(() => this.#say(hasTunnel, signal));
  }

  /** The server has ended the conference. */
  lapse() {
    this.#memory.forget();
    if (this.#memory.claim !== null) this.#memory.dropClaim(this.#memory.claim);
    this.#memory.release();
  }

  /** What is to be said is said now or never: the page goes, or wants to host the room again. */
  hurry() {
    this.#hurrying.abort();
  }

  /** @param {string} fingerprint */
  async #start(fingerprint) {
    const started = await this.#signalling.startConference(fingerprint, this.#memory.claim);
    this.#memory.keepClaim(started.claim);
    return started;
  }

  /**
   * @param {boolean} hasTunnel
   * @param {AbortSignal} signal
   */
  async #say(hasTunnel, signal) {
    if (hasTunnel) await passed(GOODBYE, signal);
    await this.#starting;
    const { claim } = this.#memory;
    if (claim !== null && (await this.#tellServer(claim, signal))) this.#memory.dropClaim(claim);
    this.#memory.release();
  }

  /**
   * @param {string} claim
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether it was heard; if not, the claim is what opens the room again
   */
  async #tellServer(claim, signal) {
    const deadline = performance.now() + LIMIT;
    const backOff = new BackOff();
    while (!(await this.#signalling.end(claim))) {
      if (signal.aborted || performance.now() > deadline) return false;
      await backOff.wait(signal);
    }
    return true;
  }
}
