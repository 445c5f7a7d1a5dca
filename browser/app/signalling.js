/**
 * The HTTP interface of call processing, version 1, and its event stream.
 */

import { BackOff } from "./back-off.js";

const VERSION = 1;

/** Milliseconds; an offer waits for two identity providers, which have 5 s each, and then some. */
const REQUEST_LIMIT = 20_000;

/** Where problem types live (RFC 9457, Section 3.1.1). */
const PROBLEMS = "/problems/";

/** A refusal of call processing. */
export class ProblemError extends Error {
  /** @override */
  name = "ProblemError";

  /**
   * @param {string} kind last part of the problem's type, such as `conflict`
   * @param {string} detail a sentence for people
   */
  constructor(kind, detail) {
    super(detail);
    this.kind = kind;
  }
}

/**
 * One room's signalling.
 *
 * Events, with the parsed data as detail: `state` {state, generation}, `sources` {audio, video},
 * `step` {step, role?}; and `lost`/`found` when the stream breaks and stands again. A conference
 * that its owner starts again, because of a reload, is another generation of it.
 */
export class Signalling extends EventTarget {
  #room;
  #backOff = new BackOff();

  /** @param {string} room */
  constructor(room) {
    super();
    this.#room = room;
  }

  /** Starts to listen, for as long as the page is there. */
  listen() {
    const stream = new EventSource(`/perc/events?${this.#room}`);
    for (const name of ["state", "sources", "step"]) {
      stream.addEventListener(name, ({ data }) => this.#tell(name, JSON.parse(data)));
    }
    stream.onerror = () => this.#lose(stream);
    stream.onopen = () => {
      this.#backOff.reset();
      this.#tell("found", {});
    };
  }

  /**
   * The browser reconnects by itself, until it gets an answer that is no event stream (HTML, Section
   * 9.2.3): that of a server that is full, or of a proxy whose server is starting.
   *
   * @param {EventSource} stream
   */
  async #lose(stream) {
    this.#tell("lost", {});
    if (stream.readyState !== EventSource.CLOSED) return;
    await this.#backOff.wait();
    this.listen();
  }

  /**
   * 4.1.1 (7): where the Media Distributor listens for this Key Distributor.
   *
   * @param {string} fingerprint
   * @param {string | null} claim to a conference of before, whose place this one takes
   * @returns {Promise<{ host: string, port: number, generation: string, claim: string }>}
   */
  async startConference(fingerprint, claim) {
    return take(await post("/start-conf", { room: this.#room, fingerprint, claim }));
  }

  /**
   * 4.1.2 (9) and 4.1.6 (11). With the endpoint of an earlier answer, a renegotiation.
   *
   * @param {{ sdp: string, role: "owner" | "participant", endpoint?: string }} offer
   * @returns {Promise<{ sdp: string, endpoint: string }>}
   */
  async offer(offer) {
    return take(await post(`/perc/offer?${this.#room}`, { type: "offer", ...offer }));
  }

  /**
   * Says goodbye, also from a page that is about to go.
   *
   * @param {string} endpoint
   */
  leave(endpoint) {
    const body = JSON.stringify({ version: VERSION, endpoint });
    navigator.sendBeacon(
      `/perc/leave?${this.#room}`,
      new Blob([body], { type: "application/json" }),
    );
  }

  /**
   * Says that its owner has ended the conference, also from a page that is about to go.
   *
   * @param {string} claim
   * @returns {Promise<boolean>} whether the server knows it now: the claim is good for nothing more
   */
  async end(claim) {
    try {
      await read(await post(`/perc/end?${this.#room}`, { claim }, { keepalive: true }));
      return true;
    } catch (error) {
      return error instanceof ProblemError && error.kind === "not-owner";
    }
  }

  /**
   * @param {string} name
   * @param {object} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/**
 * @typedef {object} Configuration
 * @property {string[]} identityProviders
 * @property {string} trustAnchors
 * @property {string} assets
 */

/** @returns {Promise<Configuration>} */
export async function loadConfiguration() {
  return take(await fetch("/config.json", { signal: AbortSignal.timeout(REQUEST_LIMIT) }));
}

/**
 * @param {string} url
 * @param {object} message
 * @param {RequestInit} [options]
 */
function post(url, message, options) {
  return fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ version: VERSION, ...message }),
    signal: AbortSignal.timeout(REQUEST_LIMIT),
    ...options,
  });
}

/**
 * What an answer says; throws the problem that it is.
 *
 * @param {Response} response
 */
async function read(response) {
  const document = await response.json().catch(() => ({}));
  if (response.ok) return document;
  const kind = String(document.type ?? "").replace(PROBLEMS, "") || `http-${response.status}`;
  throw new ProblemError(kind, String(document.detail ?? response.statusText));
}

/** @param {Response} response */
async function take(response) {
  const document = await read(response);
  if (document.version !== VERSION) {
    throw new ProblemError("version", "The server speaks another version of this interface.");
  }
  return document;
}
