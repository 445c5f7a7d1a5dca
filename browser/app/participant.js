/**
 * One endpoint of the conference: the owner's own, or a participant's. Steps 4.1.2 to 4.1.5, or
 * 4.1.6 to 4.1.9.
 */

import { bindIdentityContents } from "../identity/index.js";
import { report } from "../ladder/events.js";
import { JOIN_STEPS } from "../ladder/steps.js";
import { MediaConnection } from "../media/connection.js";
import { SessionFailed } from "./failures.js";
import { during } from "./stages.js";

const PROTOCOL = "default";

/** Milliseconds from the answer to DTLS and keys; Chromium's own attempts are over by then. */
const CONNECTING_LIMIT = 20_000;

/** The steps of the identity shim, by number: first of an offer, then of an answer. */
const OFFER_STEPS = /** @type {Record<string, number>} */ ({
  load: 4,
  loaded: 5,
  sign: 6,
  signed: 7,
});
const ANSWER_STEPS = /** @type {Record<string, number>} */ ({ load: 3, validated: 4 });

/**
 * @typedef {object} Invitation
 * @property {import("./signalling.js").Signalling} signalling
 * @property {"owner" | "participant"} role
 * @property {string} identity the user's own
 * @property {string} provider that vouches for it
 * @property {string | null} owner whom the Key Distributor has to be
 * @property {number} present pairs of sources in the conference
 */

/**
 * Joins, renegotiates and leaves.
 */
export class Participant {
  #invitation;
  #steps;
  /** @type {Promise<unknown>} one offer at a time */
  #negotiation = Promise.resolve();
  /** @type {string | undefined} */
  #endpoint;
  #phaseSteps = OFFER_STEPS;
  /** @type {import("../media/messages.js").SendingState} */
  #sendingState = "no-key";

  /**
   * @param {Invitation} invitation
   * @param {Worker} worker
   */
  constructor(invitation, worker) {
    this.#invitation = invitation;
    this.#steps = JOIN_STEPS[invitation.role];
    const { identity, provider, owner } = invitation;
    this.#report(this.#steps.offer(1));
    this.pc = new RTCPeerConnection(owner === null ? {} : { peerIdentity: owner });
    bindIdentityContents(this.pc, {
      conference: location.origin + location.pathname,
      onstep: (step) => this.#reportIdentity(step),
    });
    this.#report(this.#steps.offer(2));
    this.pc.setIdentityProvider(provider, { protocol: PROTOCOL, usernameHint: identity });
    this.media = new MediaConnection(this.pc, worker);
    this.on("sending", ({ state }) => {
      this.#sendingState = state;
    });
  }

  /**
   * Offers, and takes the answer if it comes from the owner.
   *
   * @param {(stage: import("./stages.js").Stage) => void} progress
   * @returns {Promise<string>} who answered: the identity of the Key Distributor
   */
  async join(progress) {
    this.media.open(this.#invitation.identity, this.#invitation.present);
    await this.#negotiate(progress);
    const { name } = await this.pc.peerIdentity;
    return name;
  }

  /**
   * Waits until the connection stands and keys are there.
   *
   * @param {AbortSignal} signal
   * @param {(stage: import("./stages.js").Stage) => void} progress
   */
  async connected(signal, progress) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CONNECTING_LIMIT)]);
    progress("connecting");
    await during("connecting", () => this.#connectionState("connected", limit));
    progress("keying");
    await during("keying", () => this.#sending(limit));
  }

  /**
   * Makes room for the sources that are present, and offers again if that needs more m-lines.
   *
   * @param {number} present
   */
  async makeRoom(present) {
    if (this.media.makeRoom(present)) await this.#negotiate();
  }

  leave() {
    if (this.#endpoint !== undefined) this.#invitation.signalling.leave(this.#endpoint);
    this.#endpoint = undefined;
    this.media.close();
  }

  /** @param {(stage: import("./stages.js").Stage) => void} [progress] */
  #negotiate(progress = () => {}) {
    const negotiation = this.#negotiation.then(() => this.#offer(progress));
    this.#negotiation = negotiation.catch(() => {});
    return negotiation;
  }

  /** @param {(stage: import("./stages.js").Stage) => void} progress */
  async #offer(progress) {
    progress("offering");
    const { signalling, role } = this.#invitation;
    const { pc } = this;
    const isFirst = this.#endpoint === undefined;
    const step = (/** @type {string} */ name) => isFirst && this.#report(name);
    this.#phaseSteps = isFirst ? OFFER_STEPS : {};
    const offer = await during("offering", async () => {
      step(this.#steps.offer(3));
      const created = await pc.createOffer();
      step(this.#steps.offer(8));
      await pc.setLocalDescription(created);
      return created;
    });
    this.media.announce();
    step(this.#steps.offer(9));
    const answer = await during("offering", () =>
      signalling.offer({ sdp: offer.sdp ?? "", role, endpoint: this.#endpoint }),
    );
    this.#endpoint = answer.endpoint;
    step(this.#steps.answer(1));
    this.#phaseSteps = isFirst ? ANSWER_STEPS : {};
    step(this.#steps.answer(2));
    progress("answering");
    await during("answering", () => pc.setRemoteDescription({ type: "answer", sdp: answer.sdp }));
  }

  /**
   * @param {RTCPeerConnectionState} state
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  #connectionState(state, signal) {
    const { pc } = this;
    return until(signal, (resolve, reject) => {
      const look = () => {
        if (pc.connectionState === state) resolve();
        if (pc.connectionState === "failed") reject(new Error("ICE or DTLS failed"));
      };
      pc.addEventListener("connectionstatechange", look, { signal });
      look();
    });
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  #sending(signal) {
    if (this.#sendingState === "sending") return Promise.resolve();
    return until(signal, (resolve, reject) => {
      this.on("sending", ({ state }) => state === "sending" && resolve(), signal);
      this.on("failed", ({ reason, detail }) => reject(new SessionFailed(reason, detail)), signal);
    });
  }

  /**
   * Listens to the transform Worker.
   *
   * @template {import("../media/messages.js").WorkerMessage["op"]} Op
   * @param {Op} op
   * @param {(message: Extract<import("../media/messages.js").WorkerMessage, { op: Op }>) => void}
   *   listener
   * @param {AbortSignal} [signal]
   */
  on(op, listener, signal) {
    const listen = (/** @type {Event} */ event) =>
      listener(/** @type {CustomEvent} */ (event).detail);
    this.media.addEventListener(op, listen, signal ? { signal } : {});
  }

  /** @param {string} step */
  #reportIdentity(step) {
    const number = this.#phaseSteps[step];
    if (number === undefined) return;
    const { offer, answer } = this.#steps;
    this.#report(this.#phaseSteps === OFFER_STEPS ? offer(number) : answer(number));
  }

  /** @param {string} step */
  #report(step) {
    report(step, { identity: this.#invitation.identity });
  }
}

/**
 * @param {AbortSignal} signal
 * @param {(resolve: () => void, reject: (reason: unknown) => void) => void} executor
 * @returns {Promise<void>}
 */
function until(signal, executor) {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    executor(resolve, reject);
  });
}

/**
 * A transform Worker, or the reason why nothing can be sent.
 *
 * @returns {Promise<Worker>}
 */
export function startMedia() {
  return during("starting-media", () => MediaConnection.startWorker());
}
