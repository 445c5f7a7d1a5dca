/**
 * The state machine of a room's page.
 *
 *     loading ─▶ lobby ─▶ (waiting) ─▶ (opening) ─▶ joining ─▶ (confirming-host) ─▶ connecting
 *                  ▲                                                                   │ │
 *                  ├── back ── left, ended, removed ◀──────────────────── in-call ◀────┘ │
 *                  ├── back ── denied ◀──────────────────────────────────────────────────┘
 *                  └── back ── failed ◀── from any of them
 *
 * `waiting` is for a host who is not here yet, `opening` is the owner's alone, and
 * `confirming-host` happens only where the link names no owner. Whoever is within goes back to
 * `joining` when the host's Key Distributor is another one, or the Media Distributor has given up
 * this endpoint; a host's page that was reloaded goes from `loading` to `opening`.
 */

import { report } from "../ladder/events.js";
import { reportRemoteStep } from "../ladder/remote-steps.js";
import { TurnedAway } from "./association.js";
import { Call } from "./call.js";
import { describeFailure, isHostAway } from "./failures.js";
import { HostQuestion } from "./host-question.js";
import { Hosting } from "./hosting.js";
import { LocalMedia } from "./local-media.js";
import { joinLink } from "./links.js";
import { Notices } from "./notices.js";
import { PathLost } from "./path.js";
import { RoomNews } from "./room-news.js";
import { Signalling, loadConfiguration } from "./signalling.js";
import { during, StageError } from "./stages.js";
import { User } from "./user.js";

/**
 * @typedef {"loading" | "lobby" | "waiting" | "opening" | "joining" | "confirming-host" |
 *   "connecting" | "in-call" | "left" | "ended" | "denied" | "removed" | "failed"} State
 */
/** @typedef {import("./stages.js").Stage} Stage */
/** @typedef {import("./notices.js").Notice} Notice */

/** Milliseconds between tries to join a room whose host is there again, and away again. */
const NEXT_TRY = 1_000;

/** @type {readonly State[]} in which this page has, or will have, an endpoint in the conference */
const WITHIN = ["joining", "confirming-host", "connecting", "in-call"];

/** `change` whenever anything below has changed. */
export class Conference extends EventTarget {
  /** @type {State} */
  state = "loading";
  /** @type {Stage | null} within opening, joining and connecting */
  stage = null;
  /** @type {import("./failures.js").Failure | null} */
  failure = null;
  notices = new Notices();
  /** @type {string | null} whom the link names, or who hosts as far as the user has confirmed it */
  owner;
  /** @type {"owner" | "participant"} */
  role = "participant";
  /** @type {"host-back" | "path-lost" | "reloaded" | null} why it joins, or opens, again */
  again = null;
  /** Where the link names no host. */
  question = new HostQuestion();
  user = new User();
  media = new LocalMedia();

  #link;
  #tileView;
  #signalling;
  /** @type {import("./signalling.js").Configuration | null} */
  #configuration = null;
  #news;
  /** @type {Call | null} */
  #call = null;
  #hosting;
  /** The generation of the conference that this page has joined. */
  #joined = "";
  /** Counts the endpoints of this page: what comes of an older one does not matter any more. */
  #attempt = 0;

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
    this.#news = new RoomNews(this.#signalling);
    this.#hosting = new Hosting(link.room, this.#signalling);
    for (const part of [this.media, this.user, this.admission, this.notices]) {
      part.addEventListener("change", () => this.#changed());
    }
    this.#listen();
  }

  get room() {
    return this.#link.room;
  }

  /** Who may come in, where this page hosts. */
  get admission() {
    return this.#hosting.admission;
  }

  get providers() {
    return this.#configuration?.identityProviders ?? [];
  }

  /** Whether this page is to open the room: its link says so, or names its user as the owner. */
  get isHost() {
    const { identity } = this.user;
    return this.#link.isHost || (identity !== null && identity === this.#link.owner);
  }

  get roomState() {
    return this.#news.state;
  }

  get joinLink() {
    return this.owner === null ? null : joinLink(this.room, this.owner);
  }

  /** What has become of frames, sent and received; null outside a call. */
  async frameFates() {
    return this.state === "in-call" && this.#call !== null ? this.#call.frameFates() : null;
  }

  /** Whether closing the page would end the conference for others. */
  get endsForOthers() {
    return this.#call?.isHosting ?? false;
  }

  /** Loads what the page needs to know. */
  async start() {
    try {
      this.#configuration = await during("loading", loadConfiguration);
    } catch (error) {
      return this.#fail(error);
    }
    this.#signalling.listen();
    const remembered = this.#hosting.memory.recall();
    if (remembered === null || !(await this.#hostAgain(remembered))) this.#enter("lobby");
  }

  /**
   * This page hosted the room until it was reloaded: it opens it again, with another Key
   * Distributor.
   *
   * @param {import("./hosting.js").Remembered} remembered
   * @returns {Promise<boolean>} whether it could, or the user has decided otherwise meanwhile
   */
  async #hostAgain(remembered) {
    this.again = "reloaded";
    this.role = "owner";
    this.#enter("opening");
    const outcome = await this.#hosting.restore(remembered, this);
    if (outcome === "restored") this.#run("owner", remembered.identity);
    if (outcome === "changed") this.again = null;
    return outcome !== "changed";
  }

  /** @param {"audio" | "video"} kind */
  async openDevice(kind) {
    const track = await this.media.open(kind);
    if (this.#isSending) await this.#call?.attach(kind, track);
  }

  async closeCamera() {
    this.media.close("video");
    if (this.#isSending) await this.#call?.attach("video", null);
  }

  /** Opens the room, joins it, or waits for its host. */
  async enter() {
    const { identity } = this.user;
    if (identity === null) return;
    const isOpen = this.roomState === "live";
    if (!isOpen && !this.isHost) return this.#enter("waiting");
    await this.#run(isOpen ? "participant" : "owner", identity);
  }

  stopWaiting() {
    this.#enter("lobby");
  }

  /** Back from a failure or from the end. */
  async back() {
    this.failure = null;
    if (this.#configuration === null) return this.start();
    this.#enter("lobby");
    await this.user.refresh();
  }

  /** @param {import("./admission.js").JoinRequest} request */
  async admit(request) {
    await this.#call?.carryOut(request.admit());
  }

  /** @param {import("./admission.js").JoinRequest} request */
  async deny(request) {
    await this.#call?.carryOut(request.deny());
  }

  /** @param {Notice} notice that the user has read */
  dismiss(notice) {
    this.notices.set(notice, false);
  }

  /** @param {string} member id in the roster */
  async remove(member) {
    await this.#call?.remove(member);
  }

  leave() {
    this.#end("left");
  }

  /**
   * The page goes. A host's Key Distributor goes with it, without a word to anybody: the page may be
   * back in a moment.
   *
   * @param {boolean} isKept in the browser's cache, where it cannot host
   */
  unload(isKept) {
    if (isKept || !this.#isHosting) this.leave();
    this.#hosting.claim.hurry();
  }

  /** Whether this page hosts, or is about to. */
  get #isHosting() {
    return this.role === "owner" && ["opening", ...WITHIN].includes(this.state);
  }

  /**
   * From the click to the call.
   *
   * @param {"owner" | "participant"} role
   * @param {string} identity
   */
  async #run(role, identity) {
    performance.mark("perc:enter");
    this.role = role;
    if (role === "owner") this.owner = identity;
    const call = this.#newCall(role, identity);
    this.#call = call;
    try {
      if (role === "owner") await this.#open(call);
    } catch (error) {
      if (!call.hasEnded) this.#fail(error);
      return;
    }
    await this.#join(call);
  }

  /**
   * From the offer to the call, with a new endpoint.
   *
   * @param {Call} call
   */
  async #join(call) {
    const attempt = ++this.#attempt;
    const isOver = () => call.hasEnded || attempt !== this.#attempt;
    this.#joined = this.#news.generation;
    try {
      this.#enter("joining");
      const host = await call.join(this.#news.pairs, this.#progress);
      if (isOver() || !(await this.#accepts(host))) return;
      this.#enter("connecting");
      await call.connect(this.media, this.#progress);
      if (isOver()) return;
      this.again = null;
      this.#enter("in-call");
      await call.makeRoom(this.#news.pairs);
    } catch (error) {
      if (!isOver()) this.#fail(error);
    }
  }

  /**
   * Leaves with the endpoint that there is, and joins with another: the same host, or none.
   *
   * @param {"host-back" | "path-lost"} why
   */
  #joinAgain(why) {
    if (this.#call === null) return;
    this.again = why;
    this.notices.endEndpoint();
    this.question.supersede();
    this.#join(this.#call);
  }

  /** The host went away meanwhile: it joins as soon as they are back. */
  #waitForHost() {
    this.again = null;
    this.#call?.end();
    this.#call = null;
    this.#tileView.clear();
    this.notices.endCall();
    this.#enter("waiting");
    // The news of their return may have been faster.
    setTimeout(() => this.#followRoom(), NEXT_TRY);
  }

  /**
   * @param {"owner" | "participant"} role
   * @param {string} identity
   */
  #newCall(role, identity) {
    const call = new Call({
      signalling: this.#signalling,
      configuration: /** @type {import("./signalling.js").Configuration} */ (this.#configuration),
      tileView: this.#tileView,
      role,
      identity,
      provider: this.user.provider,
      owner: this.owner,
      hosting: this.#hosting,
    });
    call.addEventListener("failure", (event) => this.#fail(detailOf(event)));
    call.addEventListener("notice", (event) => {
      const { notice, holds } = detailOf(event);
      this.notices.set(notice, holds);
    });
    return call;
  }

  /** @param {Call} call */
  async #open(call) {
    this.#enter("opening");
    // A join link that names its own user as the owner: loading the page was the owner's step after
    // all.
    const steps = this.#link.isHost ? [] : ["4.1.1 (1)", "4.1.1 (2)"];
    for (const step of steps) report(step, { room: this.room });
    await this.#hosting.open(call, this, this.#progress);
  }

  /**
   * Whether this is whom the user wants to talk to. Where the link names nobody they decide, before
   * anything of theirs is sent.
   *
   * @param {string} host that answered
   */
  async #accepts(host) {
    if (this.owner !== null) return true;
    const decided = this.question.ask(host);
    this.#enter("confirming-host");
    const decision = await decided;
    if (decision === "yes") this.owner = host;
    if (decision === "no") this.leave();
    return decision === "yes";
  }

  get #isSending() {
    return this.state === "connecting" || this.state === "in-call";
  }

  #listen() {
    this.#news.addEventListener("state", () => this.#hear());
    this.#news.addEventListener("sources", () => this.#makeRoom());
    this.#signalling.addEventListener("step", (event) =>
      reportRemoteStep(detailOf(event), this.endsForOthers),
    );
    this.#signalling.addEventListener("lost", () => this.notices.set("events-lost", true));
    this.#signalling.addEventListener("found", () => this.notices.set("events-lost", false));
    this.media.addEventListener("change", () => {
      if (this.endsForOthers) this.#hosting.noteDevices(this.media);
    });
  }

  #hear() {
    if (WITHIN.includes(this.state)) this.#followConference();
    else this.#followRoom();
    this.#changed();
  }

  #makeRoom() {
    if (this.state === "in-call") this.#call?.makeRoom(this.#news.pairs);
  }

  #followRoom() {
    if (this.state === "waiting" && this.roomState === "live") this.enter();
  }

  #followConference() {
    const isOwn = this.endsForOthers;
    const { generation } = this.#news;
    const isAnother = generation !== (isOwn ? this.#call?.generation : this.#joined);
    if (this.roomState === "ended" || (isOwn && isAnother)) return this.#end("ended");
    this.notices.set("host-away", !isOwn && this.roomState === "waiting");
    if (this.roomState !== "live") return;
    if (isAnother) this.#joinAgain("host-back");
    else this.#makeRoom();
  }

  /** @param {State} state */
  #enter(state) {
    this.state = state;
    this.stage = null;
    this.#changed();
  }

  #progress = (/** @type {Stage} */ stage) => {
    this.stage = stage;
    this.#changed();
  };

  /** @param {unknown} error */
  #fail(error) {
    const cause = error instanceof StageError ? error.cause : error;
    if (cause instanceof TurnedAway) return this.#end(cause.outcome);
    if (cause instanceof PathLost) return this.#joinAgain("path-lost");
    if (this.role === "participant" && isHostAway(cause)) return this.#waitForHost();
    this.failure = describeFailure(error, { owner: this.owner });
    this.#end("failed");
  }

  /** @param {"left" | "ended" | "denied" | "removed" | "failed"} state */
  #end(state) {
    const isHosting = this.#isHosting;
    const hasTunnel = this.#call?.hasTunnel ?? false;
    this.again = null;
    this.#call?.end();
    this.#call = null;
    if (isHosting) this.#hosting.end({ isKnown: state === "ended", hasTunnel });
    this.question.supersede();
    this.#tileView.clear();
    this.notices.endCall();
    this.owner = this.#link.owner;
    this.#closeDevices();
    this.#enter(state);
  }

  #closeDevices() {
    this.media.close("audio");
    this.media.close("video");
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {Event} event */
function detailOf(event) {
  return /** @type {CustomEvent} */ (event).detail;
}
