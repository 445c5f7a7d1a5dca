/**
 * One endpoint of the conference: the owner's own, or a participant's. Steps 4.1.2 to 4.1.5, or
 * 4.1.6 to 4.1.9.
 */

import { bindIdentityContents } from "../identity/index.js";
import { report } from "../ladder/events.js";
import { JOIN_STEPS } from "../ladder/steps.js";
import { MediaConnection } from "../media/connection.js";
import { Association } from "./association.js";
import { SessionFailed } from "./failures.js";
import { Path } from "./path.js";
import { during } from "./stages.js";

const PROTOCOL = "default";

/**
 * Milliseconds from the answer to the key channel, and from being admitted to the keys. Chromium's
 * own attempts are over by then.
 */
const CONNECTING_LIMIT = 20_000;

/** Milliseconds in which the reason for a closed key channel comes, if there is one. */
const FAREWELL = 1_000;

/** Milliseconds in which somebody on the guest list is let in: they need not read that they wait. */
const PROMPT = 700;

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
  #hasLeft = false;
  #phaseSteps = OFFER_STEPS;
  #association;
  /** Transceivers were added, and no answer has come to an offer with them yet. */
  #owesOffer = false;
  /** The key channel is open: the Key Distributor knows who is here. */
  #arrival = Promise.withResolvers();
  /** The roster or a key has come: the Key Distributor tells neither to somebody who waits. */
  #admission = Promise.withResolvers();
  #sending = Promise.withResolvers();
  /** The transform Worker has given up. */
  #failure = Promise.withResolvers();
  /** The key channel has closed, and nobody has said why. */
  #end = Promise.withResolvers();

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
    this.#association = new Association(this.pc);
    this.path = new Path(this.pc, () => this.#negotiate());
    this.pc.setIdentityProvider(provider, { protocol: PROTOCOL, usernameHint: identity });
    this.media = new MediaConnection(this.pc, worker);
    this.on("channel", ({ state }) => state === "open" && this.#arrival.resolve(null));
    this.on(
      "channel",
      ({ state }) => state === "closed" && setTimeout(this.#end.resolve, FAREWELL),
    );
    this.on("failed", ({ reason, detail }) =>
      this.#failure.resolve(new SessionFailed(reason, detail)),
    );
    this.on("roster", () => this.#admit());
    this.on("key", () => this.#admit());
    this.on("sending", ({ state }) => state === "sending" && this.#sending.resolve(null));
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
   * Waits until the connection stands, the host has let this endpoint in, and keys are there.
   *
   * @param {AbortSignal} signal
   * @param {(stage: import("./stages.js").Stage) => void} progress
   */
  async connected(signal, progress) {
    const limit = () => AbortSignal.any([signal, AbortSignal.timeout(CONNECTING_LIMIT)]);
    progress("connecting");
    await during("connecting", () => this.#unlessFailed(this.#arrival.promise, limit()));
    this.path.watch();
    progress("keying");
    await during("awaiting-admission", () => this.#admitted(signal, progress));
    progress("keying");
    await during("keying", () => this.#unlessFailed(this.#sending.promise, limit()));
  }

  /**
   * A person decides, in their time: the Key Distributor has a limit of its own.
   *
   * @param {AbortSignal} signal
   * @param {(stage: import("./stages.js").Stage) => void} progress
   */
  async #admitted(signal, progress) {
    const knocking = setTimeout(() => progress("awaiting-admission"), PROMPT);
    // The owner is on their own guest list.
    if (this.#invitation.role === "owner") clearTimeout(knocking);
    await this.#unlessFailed(this.#admission.promise, signal).finally(() => clearTimeout(knocking));
  }

  /**
   * Tells of the end of a call that has come about.
   *
   * @param {(error: Error) => void} listener
   * @param {AbortSignal} signal
   */
  whenOver(listener, signal) {
    this.#whenDisconnected(listener, signal);
    this.#failure.promise.then((failure) => !signal.aborted && listener(failure));
  }

  /**
   * @param {(error: Error) => void} listener
   * @param {AbortSignal} signal
   */
  #whenDisconnected(listener, signal) {
    const look = () => {
      const failure = this.#association.failure;
      if (failure !== null) listener(failure);
    };
    this.pc.addEventListener("connectionstatechange", look, { signal });
    look();
  }

  /**
   * Makes room for the sources that are present, and offers again if that needs more m-lines.
   *
   * @param {number} present
   */
  async makeRoom(present) {
    this.#owesOffer = this.media.makeRoom(present) || this.#owesOffer;
    if (this.#owesOffer) await this.#negotiate();
  }

  leave() {
    this.#hasLeft = true;
    if (this.#endpoint !== undefined) this.#invitation.signalling.leave(this.#endpoint);
    this.media.close();
  }

  #admit() {
    this.#association.isMember = true;
    this.#admission.resolve(null);
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
    // Whoever left before the answer could not say which endpoint it was.
    if (this.#hasLeft) signalling.leave(answer.endpoint);
    step(this.#steps.answer(1));
    this.#phaseSteps = isFirst ? ANSWER_STEPS : {};
    step(this.#steps.answer(2));
    progress("answering");
    await during("answering", () => pc.setRemoteDescription({ type: "answer", sdp: answer.sdp }));
    this.#owesOffer = false;
  }

  /**
   * @param {Promise<unknown>} event
   * @param {AbortSignal} signal
   * @returns {Promise<void>} rejects if the connection, or the session on it, fails before
   */
  #unlessFailed(event, signal) {
    return new Promise((resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      event.then(() => resolve());
      this.#end.promise.then(() => reject(new Error("the Key Distributor closed the key channel")));
      this.#whenDisconnected(reject, signal);
      this.#failure.promise.then(reject);
    });
  }

  /**
   * Listens to the transform Worker.
   *
   * @template {import("../media/messages.js").WorkerMessage["op"]} Op
   * @param {Op} op
   * @param {(message: Extract<import("../media/messages.js").WorkerMessage, { op: Op }>) => void}
   *   listener
   */
  on(op, listener) {
    this.media.addEventListener(op, (event) => listener(/** @type {CustomEvent} */ (event).detail));
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
 * A transform Worker, or the reason why nothing can be sent.
 *
 * @returns {Promise<Worker>}
 */
export function startMedia() {
  return during("starting-media", () => MediaConnection.startWorker());
}
