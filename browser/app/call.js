/**
 * One call, from the click to its end: the Key Distributor where this page hosts, this page's
 * endpoint, its tiles.
 *
 * Events: `notice` with a Notice and whether it holds; `failure` with the error that ended the
 * call.
 */

import { startMedia, Participant } from "./participant.js";
import { isHostAway, isSourceTaken } from "./failures.js";
import { PathLost } from "./path.js";
import { during } from "./stages.js";
import { Tiles } from "./tiles.js";

/** @typedef {import("./notices.js").Notice} Notice */
/** @typedef {(stage: import("./stages.js").Stage) => void} Progress */

/**
 * @typedef {object} CallSetup
 * @property {import("./signalling.js").Signalling} signalling
 * @property {import("./signalling.js").Configuration} configuration
 * @property {import("./tiles.js").TileView} tileView
 * @property {"owner" | "participant"} role
 * @property {string} identity the user's own
 * @property {string} provider that vouches for it
 * @property {string | null} owner whom the Key Distributor has to be
 * @property {import("./hosting.js").Hosting} hosting what the host's page has beside this
 */

/** That random SSRCs collide this often in a row is an attack. */
const ATTEMPTS = 3;

export class Call extends EventTarget {
  #setup;
  /** @type {import("./owner.js").Owner | null} */
  #owner = null;
  /** @type {Participant | null} */
  #participant = null;
  /** @type {Tiles | null} */
  #tiles = null;
  #ending = new AbortController();
  /** Ends what one endpoint has begun. */
  #leaving = new AbortController();
  /** Pairs of sources that the conference has. */
  #present = 0;

  /** @param {CallSetup} setup */
  constructor(setup) {
    super();
    this.#setup = setup;
  }

  get hasEnded() {
    return this.#ending.signal.aborted;
  }

  /** Whether its end is the end for everybody. */
  get isHosting() {
    return this.#owner !== null;
  }

  /** What has become of the frames of this page's endpoint; null while there is none. */
  async frameFates() {
    return (await this.#participant?.media.fates()) ?? null;
  }

  get hasTunnel() {
    return this.#owner?.hasTunnel ?? false;
  }

  /** What events call the conference that this page hosts; null before it has been started. */
  get generation() {
    return this.#owner?.generation ?? null;
  }

  /**
   * Starts the conference and its Key Distributor.
   *
   * @param {Progress} progress
   */
  async host(progress) {
    const { configuration, ...host } = this.#setup;
    const { signal } = this.#ending;
    await host.hosting.claim.take(signal);
    signal.throwIfAborted();
    progress("starting-key-distributor");
    const { Owner } = await during("starting-key-distributor", () => import("./owner.js"));
    signal.throwIfAborted();
    this.#owner = new Owner(configuration, host);
    this.#owner.addEventListener("lost", () => this.#notice("tunnel-lost", true));
    this.#owner.addEventListener("found", () => this.#notice("tunnel-lost", false));
    this.#owner.addEventListener("given-up", () => {
      this.#notice("tunnel-lost", false);
      this.#notice("tunnel-gone", true);
    });
    this.#owner.addEventListener("fingerprintfailure", () =>
      this.#notice("fingerprint-failure", true),
    );
    await this.#owner.open(progress);
    signal.throwIfAborted();
  }

  /**
   * Offers with a new endpoint, which takes the place of an older one, and checks who answers.
   *
   * @param {number} present pairs of sources in the conference
   * @param {Progress} progress
   * @returns {Promise<string>} the identity that answered
   */
  async join(present, progress) {
    this.#leave();
    this.#leaving = new AbortController();
    this.#present = present;
    const { host } = await this.#withFreeSources(() => this.#offer(progress));
    return host;
  }

  /**
   * Sends the tracks, and waits until the connection stands and keys are there.
   *
   * @param {import("./local-media.js").LocalMedia} media
   * @param {Progress} progress
   */
  async connect(media, progress) {
    const { signal } = this.#leaving;
    const connected = await this.#withFreeSources(async () => {
      // Another endpoint may take its place at any time; the user has not said yes to its host yet.
      const participant = this.#participant ?? (await this.#offer(progress)).participant;
      await participant.media.attach("audio", media.audio);
      await participant.media.attach("video", media.video);
      await participant.connected(signal, progress);
      return participant;
    });
    connected.whenOver((error) => this.#fail(error), signal);
  }

  /**
   * One offer of a new endpoint, answered by the same host as those before it.
   *
   * @param {Progress} progress
   */
  async #offer(progress) {
    const { tileView, ...invitation } = this.#setup;
    const { signal } = this.#leaving;
    progress("starting-media");
    const worker = await startMedia();
    if (signal.aborted) worker.terminate();
    signal.throwIfAborted();
    const participant = new Participant({ ...invitation, present: this.#present }, worker);
    this.#participant = participant;
    this.#follow(participant);
    this.#tiles = new Tiles(participant.media, tileView);
    const host = await participant.join(progress);
    signal.throwIfAborted();
    this.#setup = { ...this.#setup, owner: host };
    return { host, participant };
  }

  /**
   * An SSRC belongs to whoever announced it first. Whoever comes later with the same one offers
   * again, as a new endpoint: the browser chooses new SSRCs for it.
   *
   * @template T
   * @param {() => Promise<T>} attempt
   */
  async #withFreeSources(attempt) {
    const { signal } = this.#leaving;
    for (let count = 1; ; count++) {
      try {
        return await attempt();
      } catch (error) {
        if (!isSourceTaken(error) || count === ATTEMPTS || signal.aborted) throw error;
        this.#giveUpEndpoint();
      }
    }
  }

  /**
   * @param {"audio" | "video"} kind
   * @param {MediaStreamTrack | null} track
   */
  async attach(kind, track) {
    await this.#participant?.media.attach(kind, track);
  }

  /**
   * The conference has so many pairs of sources now.
   *
   * @param {number} present
   */
  async makeRoom(present) {
    const { signal } = this.#leaving;
    await this.#participant?.makeRoom(present).catch((error) => {
      // A host who is back is asked again.
      if (!signal.aborted && !isHostAway(error)) this.#fail(error);
    });
  }

  /**
   * What the host decided about somebody is carried out; about somebody who is gone there is nothing to do.
   *
   * @param {Promise<void>} decision
   */
  async carryOut(decision) {
    await decision.catch(({ name }) => {
      if (name !== "NotFoundError") this.#notice("decision-failed", true);
    });
  }

  /** @param {string} member id in the roster */
  async remove(member) {
    if (this.#owner !== null) await this.carryOut(this.#owner.remove(member));
  }

  /** Forgets the keys; ends the conference if this page hosts it. */
  end() {
    this.#ending.abort();
    this.#leave();
    this.#owner?.close();
    this.#owner = null;
  }

  #leave() {
    this.#leaving.abort();
    this.#giveUpEndpoint();
  }

  #giveUpEndpoint() {
    this.#participant?.leave();
    this.#participant = null;
    this.#tiles?.close();
    this.#tiles = null;
    this.#setup.tileView.clear();
  }

  /** @param {Participant} participant */
  #follow(participant) {
    participant.on("sending", ({ state }) => this.#notice("keys-expired", state === "expired"));
    participant.on("channel", ({ state }) =>
      this.#notice("key-channel-closed", state === "closed"),
    );
    const { path } = participant;
    path.addEventListener("lost", () => this.#notice("path-lost", true));
    path.addEventListener("found", () => this.#notice("path-lost", false));
    path.addEventListener("given-up", () => {
      if (this.#participant === participant) this.#fail(new PathLost());
    });
  }

  /**
   * @param {Notice} notice
   * @param {boolean} holds
   */
  #notice(notice, holds) {
    if (this.hasEnded) return;
    this.dispatchEvent(new CustomEvent("notice", { detail: { notice, holds } }));
  }

  /** @param {unknown} error */
  #fail(error) {
    if (this.hasEnded) return;
    this.dispatchEvent(new CustomEvent("failure", { detail: error }));
  }
}
