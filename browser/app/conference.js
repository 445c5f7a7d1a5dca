/**
 * The state machine of a room's page.
 *
 *   loading ─▶ lobby ──enter──▶ (waiting ──host comes──▶) (opening ─▶) joining ─▶ (confirming-host ─▶) connecting ─▶ in-call
 *                ▲                                            │                                                   │
 *                └──────────────back──────────── failed ◀─────┴──── left, ended ◀──────────────────────────────────┘
 *
 * `opening` is the owner's alone; `confirming-host` happens only where the link names no owner.
 */

import { JOIN_STEPS } from "../ladder/steps.js";
import { report } from "../ladder/events.js";
import { describeDevice, describeFailure, SessionFailed } from "./failures.js";
import { LocalMedia } from "./local-media.js";
import { joinLink } from "./links.js";
import { startMedia, Participant } from "./participant.js";
import { LoginNeeded, currentIdentity, signIn } from "./sign-in.js";
import { Signalling, loadConfiguration } from "./signalling.js";
import { StageError, during } from "./stages.js";
import { Tiles } from "./tiles.js";

/** @typedef {"loading" | "lobby" | "waiting" | "opening" | "joining" | "confirming-host" | "connecting" | "in-call" | "left" | "ended" | "failed"} State */
/** @typedef {import("./stages.js").Stage} Stage */

/**
 * How far the user is with their identity provider.
 *
 * @typedef {{ status: "none" | "checking" } | { status: "signed-out", loginUrl: string } | { status: "signed-in", identity: string }
 *   | { status: "failed", failure: import("./failures.js").Failure }} Login
 */

/**
 * What the page should say besides its state.
 *
 * @typedef {"events-lost" | "host-away" | "tunnel-lost" | "keys-expired" | "key-channel-closed" | "fingerprint-failure"} Notice
 */

/** `change` whenever anything below has changed. */
export class Conference extends EventTarget {
  /** @type {State} */
  state = "loading";
  /** @type {Stage | null} within opening, joining and connecting */
  stage = null;
  /** @type {import("./failures.js").Failure | null} */
  failure = null;
  /** @type {Set<Notice>} */
  notices = new Set();
  /** @type {string | null} whom the link names, or who this page's user is as its host */
  owner;
  /** @type {"owner" | "participant"} */
  role = "participant";
  /** @type {string[]} */
  providers = [];
  provider = "";
  /** @type {Login} */
  login = { status: "none" };
  roomState = "waiting";
  /** @type {{ audio: string, video: string }} why a device is not there */
  deviceTrouble = { audio: "", video: "" };
  /** The identity that answered, where the link names none. */
  foundHost = "";
  media = new LocalMedia();

  #link;
  #tileView;
  #signalling;
  /** @type {import("./signalling.js").Configuration | null} */
  #configuration = null;
  #sources = { audio: 0, video: 0 };
  /** @type {import("./owner.js").Owner | null} */
  #hosting = null;
  /** @type {Participant | null} */
  #participant = null;
  /** @type {PromiseWithResolvers<boolean> | null} */
  #decision = null;
  #ending = new AbortController();

  /**
   * @param {import("./links.js").RoomLink} link
   * @param {import("./tiles.js").TileView} tileView
   */
  constructor(link, tileView) {
    super();
    this.#link = link;
    this.#tileView = tileView;
    this.owner = link.owner;
    this.#signalling = new Signalling(link.room);
    this.media.addEventListener("change", () => this.#changed());
    this.#listen();
  }

  get room() {
    return this.#link.room;
  }

  /** Whether this page is to open the room: its link says so, or names its user as the owner. */
  get isHost() {
    const identity = this.login.status === "signed-in" ? this.login.identity : null;
    return this.#link.isHost || (identity !== null && identity === this.#link.owner);
  }

  get joinLink() {
    return this.owner === null ? null : joinLink(this.room, this.owner);
  }

  /** Loads what the page needs to know. */
  async start() {
    try {
      this.#configuration = await during("loading", loadConfiguration);
    } catch (error) {
      return this.#fail(error);
    }
    this.providers = this.#configuration.identityProviders;
    this.#signalling.listen();
    this.#enter("lobby");
  }

  /**
   * Chooses an identity provider, and asks it who the user is.
   *
   * @param {string} domain
   */
  async chooseProvider(domain) {
    this.provider = domain;
    await this.#identify(() => currentIdentity(domain));
  }

  /** Opens the provider's sign-in window; to be called on a click. */
  async signIn() {
    if (this.login.status !== "signed-out") return;
    const { loginUrl } = this.login;
    await this.#identify(() => signIn(this.provider, loginUrl));
  }

  /**
   * Opens a device, or explains why not.
   *
   * @param {"audio" | "video"} kind
   */
  async openDevice(kind) {
    try {
      const track = await this.media.open(kind);
      this.deviceTrouble[kind] = "";
      if (this.#mayAttach) await this.#participant?.media.attach(kind, track);
    } catch (error) {
      this.deviceTrouble[kind] = describeDevice(error, kind);
    }
    this.#changed();
  }

  async closeCamera() {
    this.media.close("video");
    if (this.#mayAttach) await this.#participant?.media.attach("video", null);
  }

  /** Opens the room, joins it, or waits for its host. */
  async enter() {
    if (this.login.status !== "signed-in") return;
    const mustWait = this.roomState !== "live" && !this.isHost;
    if (mustWait) return this.#enter("waiting");
    const role = this.isHost && this.roomState !== "live" ? "owner" : "participant";
    await this.#run(role, this.login.identity);
  }

  /** Back from waiting. */
  stopWaiting() {
    this.#enter("lobby");
  }

  /** Back from a failure or from the end. The user may have been signed out meanwhile. */
  async back() {
    this.failure = null;
    this.#enter("lobby");
    if (this.provider !== "") await this.chooseProvider(this.provider);
  }

  /** @param {boolean} isAccepted whether the host that answered is the one the user wants */
  confirmHost(isAccepted) {
    this.#decision?.resolve(isAccepted);
  }

  leave() {
    this.#end("left");
  }

  /** Whether closing the page would end the conference for others. */
  get endsForOthers() {
    return this.#hosting !== null;
  }

  /** @param {() => Promise<string>} ask */
  async #identify(ask) {
    this.login = { status: "checking" };
    this.#changed();
    try {
      this.login = { status: "signed-in", identity: await ask() };
    } catch (error) {
      const failure = () => describeFailure(new StageError("signing-in", error), { owner: null });
      this.login =
        error instanceof LoginNeeded
          ? { status: "signed-out", loginUrl: error.url }
          : { status: "failed", failure: failure() };
    }
    this.#changed();
  }

  /**
   * From the click to the call.
   *
   * @param {"owner" | "participant"} role
   * @param {string} identity
   */
  async #run(role, identity) {
    this.role = role;
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    const progress = (/** @type {Stage} */ stage) => this.#progress(stage);
    performance.mark("perc:enter");
    try {
      if (role === "owner") await this.#open(identity, progress);
      signal.throwIfAborted();
      this.#enter("joining");
      await this.#join(identity, progress, signal);
      this.#enter("in-call");
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /**
   * @param {string} identity
   * @param {(stage: Stage) => void} progress
   */
  async #open(identity, progress) {
    this.#enter("opening");
    this.owner = identity;
    // A join link that names its own user as the owner: this page load was the owner's after all.
    if (!this.#link.isHost)
      for (const step of ["4.1.1 (1)", "4.1.1 (2)"]) report(step, { room: this.room });
    const { Owner } = await during("starting-key-distributor", () => import("./owner.js"));
    const configuration = /** @type {import("./signalling.js").Configuration} */ (
      this.#configuration
    );
    const user = { identity, provider: this.provider };
    this.#hosting = new Owner(this.#signalling, configuration, user);
    this.#hosting.addEventListener("lost", () => this.#notice("tunnel-lost", true));
    this.#hosting.addEventListener("fingerprintfailure", () =>
      this.#notice("fingerprint-failure", true),
    );
    await this.#hosting.open(progress);
  }

  /**
   * @param {string} identity
   * @param {(stage: Stage) => void} progress
   * @param {AbortSignal} signal
   */
  async #join(identity, progress, signal) {
    progress("starting-media");
    const worker = await startMedia();
    signal.throwIfAborted();
    const { owner, provider, role } = this;
    const signalling = this.#signalling;
    const present = this.#presentPairs;
    const invitation = { signalling, role, identity, provider, owner, present };
    const participant = new Participant(invitation, worker);
    this.#participant = participant;
    this.#follow(participant);
    new Tiles(participant.media, this.#tileView);
    const host = await participant.join(progress);
    if (owner === null) await this.#confirm(host);
    signal.throwIfAborted();
    this.#enter("connecting");
    await this.#attachTracks(participant);
    await participant.connected(signal, progress);
  }

  /**
   * The link names nobody: the user decides whether they know who answered, before anything of theirs is sent.
   *
   * @param {string} host
   */
  async #confirm(host) {
    this.foundHost = host;
    this.#decision = Promise.withResolvers();
    this.#enter("confirming-host");
    const isAccepted = await this.#decision.promise;
    this.#decision = null;
    if (isAccepted) this.owner = host;
    else this.#end("left");
  }

  /** @param {Participant} participant */
  async #attachTracks(participant) {
    for (const kind of /** @type {const} */ (["audio", "video"])) {
      await participant.media.attach(kind, this.media[kind]);
    }
  }

  get #mayAttach() {
    return this.state === "connecting" || this.state === "in-call";
  }

  get #presentPairs() {
    return Math.max(this.#sources.audio, this.#sources.video);
  }

  /** @param {Participant} participant */
  #follow(participant) {
    participant.on("sending", ({ state }) => this.#notice("keys-expired", state === "expired"));
    participant.on("failed", ({ reason, detail }) => this.#fail(new SessionFailed(reason, detail)));
    participant.on("channel", ({ state }) =>
      this.#notice("key-channel-closed", state === "closed"),
    );
    participant.pc.addEventListener("connectionstatechange", () => {
      if (this.state === "in-call" && participant.pc.connectionState === "failed") {
        this.#fail(new Error("ICE or DTLS failed"));
      }
    });
  }

  #listen() {
    this.#signalling.addEventListener("state", (event) =>
      this.#followRoom(/** @type {CustomEvent} */ (event).detail.state),
    );
    this.#signalling.addEventListener("sources", (event) => {
      this.#sources = /** @type {CustomEvent} */ (event).detail;
      if (this.state !== "in-call") return;
      this.#participant?.makeRoom(this.#presentPairs).catch((error) => this.#fail(error));
    });
    this.#signalling.addEventListener("step", (event) =>
      this.#reportStep(/** @type {CustomEvent} */ (event).detail),
    );
    this.#signalling.addEventListener("lost", () => this.#notice("events-lost", true));
    this.#signalling.addEventListener("found", () => this.#notice("events-lost", false));
  }

  /** @param {string} roomState */
  #followRoom(roomState) {
    this.roomState = roomState;
    const isWithin = ["joining", "confirming-host", "connecting", "in-call"].includes(this.state);
    if (isWithin && roomState === "ended") return this.#end("ended");
    if (isWithin) this.#notice("host-away", roomState === "waiting");
    if (this.state === "waiting" && roomState === "live") this.enter();
    this.#changed();
  }

  /**
   * Steps that happen where this page cannot see them. Those that it sees are reported where they happen.
   *
   * @param {{ step: string, role?: "owner" | "participant" }} event
   */
  #reportStep({ step, role = "owner" }) {
    const isSeenHere =
      this.#hosting !== null && ["start-conf", "sign-answer", "sign-answer-ack"].includes(step);
    const name = isSeenHere ? undefined : stepName(step, role);
    if (name !== undefined) report(name);
  }

  /** @param {State} state */
  #enter(state) {
    this.state = state;
    this.stage = null;
    this.#changed();
  }

  /** @param {Stage} stage */
  #progress(stage) {
    this.stage = stage;
    this.#changed();
  }

  /**
   * @param {Notice} notice
   * @param {boolean} holds
   */
  #notice(notice, holds) {
    if (this.notices.has(notice) === holds) return;
    if (holds) this.notices.add(notice);
    else this.notices.delete(notice);
    this.#changed();
  }

  /** @param {unknown} error */
  #fail(error) {
    this.failure = describeFailure(error, { owner: this.owner });
    this.#end("failed");
  }

  /** @param {"left" | "ended" | "failed"} state */
  #end(state) {
    this.#ending.abort();
    this.#participant?.leave();
    this.#participant = null;
    this.#hosting?.close();
    this.#hosting = null;
    this.#decision?.resolve(false);
    this.#tileView.clear();
    this.notices.clear();
    this.owner = this.#link.owner;
    this.#enter(state);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * The number of a step that the Media Distributor or call processing reports.
 *
 * @param {string} step
 * @param {"owner" | "participant"} role
 * @returns {string | undefined}
 */
function stepName(step, role) {
  const { processing, media } = JOIN_STEPS[role];
  const names = /** @type {Record<string, string>} */ ({
    "start-conf": "4.1.1 (7)",
    "new-conference": "4.1.1 (8)",
    "conference-ack": "4.1.1 (9)",
    tls: "4.1.1 (12)",
    profiles: "4.1.1 (13)",
    offer: processing(1),
    "sign-answer": processing(2),
    "sign-answer-ack": processing(9),
    answer: processing(10),
    dtls: media(1),
    "tunneled-dtls": media(2),
    media: media(3),
  });
  return names[step];
}
