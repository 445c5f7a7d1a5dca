/**
 * The owner's part: a Key Distributor in this page. Steps 4.1.1, and what the Key Distributor does
 * in 4.1.3 and 4.1.7.
 */

import { RTCKeyDistributor } from "../key-distributor/rtc-key-distributor.js";
import "../key-distributor/proposed.js";
import { report } from "../ladder/events.js";
import { JOIN_STEPS } from "../ladder/steps.js";
import { during } from "./stages.js";
import { TunnelKeeper } from "./tunnel-keeper.js";

/** @typedef {import("../key-distributor/messages.js").Happening} Happening */

/**
 * What a Key Distributor does for one answer, by step of 4.1.3 or 4.1.7.
 *
 * @type {Record<string, number>}
 */
const PROCESSING_STEPS = {
  "sign-answer": 2,
  "peer-idp-load": 3,
  "peer-validated": 4,
  "own-idp-load": 5,
  "own-idp-loaded": 6,
  "own-idp-sign": 7,
  "own-idp-signed": 8,
  "answer-signed": 9,
};

/**
 * A conference that this page hosts.
 *
 * Events: `lost`, `found` and `given-up` as TunnelKeeper's; `fingerprintfailure` as the Key
 * Distributor's.
 */
export class Owner extends EventTarget {
  #distributor;
  #claim;
  /** @type {Set<number>} requests of participants, by the Key Distributor's number */
  #participants = new Set();
  #hasSignedForOwner = false;
  #memory;
  /** @type {TunnelKeeper | null} */
  #keeper = null;
  /** @type {string | null} what events call this conference, once it has been started */
  generation = null;

  /**
   * @param {import("./signalling.js").Configuration} configuration
   * @param {{ identity: string, provider: string, hosting: import("./hosting.js").Hosting }} host
   */
  constructor({ trustAnchors }, { identity, provider, hosting }) {
    super();
    const { admission, memory, claim } = hosting;
    this.#memory = memory;
    this.#claim = claim;
    report("4.1.1 (3)");
    this.#distributor = new RTCKeyDistributor({
      conference: location.origin + location.pathname,
      trustAnchors,
    });
    report("4.1.1 (4)", { provider });
    this.#distributor.setIdentityProvider(provider, { usernameHint: identity });
    this.#distributor.setAdmissionPolicy(admission.policyOf(identity));
    this.#distributor.addEventListener("joinrequest", (event) =>
      admission.ask(/** @type {import("./admission.js").JoinRequest} */ (event)),
    );
    this.#listen();
  }

  /**
   * Starts the conference and connects the Key Distributor to its Media Distributor.
   *
   * @param {(stage: import("./stages.js").Stage) => void} progress
   */
  async open(progress) {
    progress("starting-key-distributor");
    report("4.1.1 (5)");
    const certificate = await during("starting-key-distributor", () =>
      this.#distributor.getCertificate(),
    );
    const fingerprint = sha256(certificate);
    report("4.1.1 (6)", { fingerprint });
    progress("starting-conference");
    report("4.1.1 (7)", { fingerprint });
    const { host, port, generation } = await during("starting-conference", () =>
      this.#claim.start(fingerprint),
    );
    this.generation = generation;
    report("4.1.1 (10)", { host, port });
    progress("connecting-key-distributor");
    report("4.1.1 (11)", { host, port });
    const connect = () => this.#distributor.connect(host, port);
    await during("connecting-key-distributor", connect);
    this.#keep(connect);
    report("4.1.1 (14)");
  }

  /** @param {() => Promise<void>} connect */
  #keep(connect) {
    this.#keeper = new TunnelKeeper(this.#distributor, connect);
    for (const name of ["lost", "found", "given-up"])
      this.#keeper.addEventListener(name, () => this.dispatchEvent(new Event(name)));
  }

  /**
   * Ends every association of a member's identity, and has the keys changed.
   *
   * @param {string} member id in the roster
   */
  async remove(member) {
    const removed = this.#distributor.roster.find(({ id }) => id === member);
    await this.#distributor.remove(member);
    if (removed !== undefined) this.#memory.noteRemoved(removed.identity);
  }

  /** Whether the end can be said through the tunnel. */
  get hasTunnel() {
    return this.#distributor.connectionState === "connected";
  }

  /** Ends the conference for everybody. */
  close() {
    this.#keeper?.end();
    /** @type {any} */ (this.#distributor).close();
  }

  #listen() {
    const distributor = this.#distributor;
    distributor.addEventListener("fingerprintfailure", () =>
      this.dispatchEvent(new Event("fingerprintfailure")),
    );
    distributor.addEventListener("rosterchange", () =>
      this.#memory.noteAdmitted(distributor.roster.map(({ identity }) => identity)),
    );
    distributor.addEventListener("step", (event) =>
      this.#reportStep(/** @type {CustomEvent<Happening>} */ (event).detail),
    );
  }

  /** @param {Happening} happening */
  #reportStep(happening) {
    if (!("requestId" in happening)) return;
    // The owner's own endpoint is the first to offer; the link is not known to anybody else before.
    if (this.#hasSignedForOwner) this.#participants.add(happening.requestId);
    const role = this.#participants.has(happening.requestId) ? "participant" : "owner";
    const detail = { request: happening.requestId };
    const number = PROCESSING_STEPS[happening.event];
    if (number !== undefined) report(JOIN_STEPS[role].processing(number), detail);
    if (happening.event === "answer-signed") this.#hasSignedForOwner = true;
  }
}

/**
 * The fingerprint as SDP and call processing write it: upper case, with colons (RFC 8122, Section
 * 5).
 *
 * @param {{ getFingerprints(): RTCDtlsFingerprint[] }} certificate
 */
function sha256(certificate) {
  const found = certificate.getFingerprints().find(({ algorithm }) => algorithm === "sha-256");
  if (found?.value === undefined) throw new Error("the certificate has no SHA-256 fingerprint");
  return `sha-256 ${found.value.toUpperCase()}`;
}
