/**
 * What stands behind an RTCKeyDistributor: the Worker, and what the page has been told by it.
 *
 * No decision about keys, certificates or identities is made here; the Worker makes them.
 */

import { PeerIdentity } from "../identity/peer-identity.js";
import { RTCIdentityAssertion } from "../identity/rtc-identity-assertion.js";
import { KeyDistributorCertificate } from "./certificate.js";
import { RTCFingerprintFailureEvent } from "./fingerprint-failure-event.js";
import { IdentityRequests } from "./identity-requests.js";
import { announce } from "./join-request-event.js";
import { JoinRequest, JoinRequests } from "./join-request.js";
import { takeWorker, toException } from "./worker-client.js";

/** @typedef {import("./messages.js").Happening} Happening */
/** @typedef {import("./messages.js").Member} Member */
/** @typedef {"new" | "connecting" | "connected" | "disconnected" | "closed" | "failed"} ConnectionState */

/**
 * Stands in for what a browser that had an RTCKeyDistributor would know by itself.
 *
 * @typedef {object} Configuration
 * @property {string} conference origin and path of the page
 * @property {string} bridge WebSocket URL of the bridge to the Media Distributor
 * @property {string} trustAnchors URL of certificates in PEM; the browser's own root store cannot be read
 */

/**
 * Announces a change to the page: the event of the draft, or one of the proposed additions.
 *
 * @typedef {(event: Event) => void} Dispatch
 */

const CLOSED = { name: "AbortError", message: "the Key Distributor was closed" };
const ENDED = { ...CLOSED, name: "InvalidStateError" };

export class KeyDistributorAgent {
  #dispatch;
  #configuration;
  #worker = takeWorker();
  #trustAnchors;
  /** @type {PromiseWithResolvers<KeyDistributorCertificate>} */
  #certificate = Promise.withResolvers();
  #joinRequests = new JoinRequests();

  peerIdentity = new PeerIdentity();
  identity;

  /** @type {ConnectionState} */
  connectionState = "new";

  /** @type {readonly Member[]} */
  roster = Object.freeze([]);

  /** Of the EKTKey in use; 0 while there is none. */
  ektSpi = 0;

  /**
   * @param {Configuration} configuration
   * @param {Dispatch} dispatch
   */
  constructor(configuration, dispatch) {
    this.#configuration = configuration;
    this.#dispatch = dispatch;
    this.identity = new IdentityRequests(this.#worker, dispatch);
    this.#trustAnchors = fetchText(configuration.trustAnchors);
    this.#trustAnchors.catch(() => {}); // connect() reports it
    this.#certificate.promise.catch(() => {}); // getCertificate() and connect() do
    this.#worker.listen((happening) => this.#hear(happening));
  }

  get closed() {
    return this.connectionState === "closed";
  }

  get certificate() {
    return this.#certificate.promise;
  }

  /**
   * @param {string} mdHost
   * @param {number} mdPort
   */
  async connect(mdHost, mdPort) {
    if (["connecting", "connected"].includes(this.connectionState)) {
      throw new DOMException("there is a connection already", "InvalidStateError");
    }
    this.#setState("connecting");
    try {
      const { bridge, conference } = this.#configuration;
      const url = new URL(bridge);
      url.searchParams.set("md", `${mdHost}:${mdPort}`);
      const trustAnchors = await this.#trustAnchors;
      await this.#worker.call("connect", { url: url.href, mdHost, trustAnchors, conference });
    } catch (error) {
      this.#setState("failed");
      throw error;
    }
  }

  /**
   * Has the Worker do what was decided about somebody.
   *
   * @template {"admit" | "deny" | "remove"} Name
   * @param {Name} operation
   * @param {import("./messages.js").Arguments[Name]} whom
   */
  async decide(operation, whom) {
    if (this.closed) throw toException(ENDED);
    await this.#worker.call(operation, whom);
  }

  /** @param {import("./messages.js").AdmissionPolicy} policy */
  setAdmissionPolicy(policy) {
    // The Worker takes every policy that `toAdmissionPolicy` makes. If it is gone, nobody can join either.
    this.#worker.call("setAdmissionPolicy", policy).catch(() => {});
  }

  close() {
    if (this.closed) return;
    const hasTunnel = this.connectionState === "connected";
    this.#setState("closed");
    this.#certificate.reject(toException(CLOSED));
    this.#joinRequests.close(ENDED);
    const end = () => this.#worker.end(CLOSED);
    // The Worker says goodbye to the endpoints and the Media Distributor first.
    if (hasTunnel) this.#worker.call("close", {}).then(end, end);
    else end();
  }

  /** @param {ConnectionState} state */
  #setState(state) {
    if (this.connectionState === state || this.closed) return;
    this.connectionState = state;
    this.#dispatch(new Event("connectionstatechange"));
  }

  /** @param {Happening} happening */
  #hear(happening) {
    this.#dispatch(new CustomEvent("step", { detail: happening }));
    switch (happening.event) {
      case "created":
        this.#certificate.resolve(new KeyDistributorCertificate(happening.certificate));
        break;
      case "failed":
        this.#certificate.reject(toException(happening.error));
        this.#setState("failed");
        break;
      case "connected":
        this.#setState("connected");
        break;
      case "disconnected":
        this.#setState(happening.error ? "failed" : "disconnected");
        break;
      case "validation-requested":
        this.identity.validate(happening);
        break;
      case "assertion-requested":
        this.identity.sign(happening);
        break;
      case "answer-refused":
        this.#reject(happening);
        break;
      case "peer-validated":
        this.#welcome(happening);
        break;
      case "fingerprint-failed":
        this.#reportFingerprint(happening);
        break;
      case "join-requested":
        this.#askAbout(happening);
        break;
      case "endpoint-keyed":
      case "endpoint-left":
        this.#joinRequests.end(happening.associationId);
        break;
      case "roster-changed":
        this.roster = deepFreeze(happening.members);
        this.ektSpi = happening.spi;
        this.#dispatch(new Event("rosterchange"));
        break;
    }
  }

  /** @param {Extract<Happening, {event: "answer-refused"}>} refusal */
  #reject(refusal) {
    // Not for who is not wanted, nor where the own identity provider failed: their identity was validated.
    const failure = this.identity.failureOf(refusal);
    if (failure) this.peerIdentity.reject(failure);
  }

  /** @param {Extract<Happening, {event: "peer-validated"}>} peer */
  #welcome({ idp, identity }) {
    const detail = new RTCIdentityAssertion(idp, identity);
    this.peerIdentity.resolve(detail);
    this.#dispatch(new CustomEvent("peeridentity", { detail }));
  }

  /** @param {import("./join-request.js").JoinRequested} happening */
  #askAbout(happening) {
    const request = new JoinRequest(happening, (decision, associationId) =>
      this.decide(decision, { associationId }),
    );
    this.#joinRequests.add(request);
    this.#dispatch(announce(request));
  }

  /** @param {Extract<Happening, {event: "fingerprint-failed"}>} failure */
  #reportFingerprint({ associationId, presented, expected }) {
    const init = {
      associationId,
      presentedFingerprint: presented,
      expectedFingerprints: Object.freeze(expected),
    };
    this.#dispatch(new RTCFingerprintFailureEvent("fingerprintfailure", init));
  }
}

/** @param {string} url */
async function fetchText(url) {
  const response = await fetch(url).catch(() => null);
  if (response?.ok) return response.text();
  const why = response ? `HTTP ${response.status}` : "no answer";
  throw new DOMException(`the trust anchors could not be loaded: ${why}`, "NetworkError");
}

/**
 * @template T
 * @param {T} value
 * @returns {Readonly<T>}
 */
function deepFreeze(value) {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
