/**
 * The one place where transceivers are made.
 *
 * Chromium uses a transform only if it is set in the task that creates the transceiver; one that
 * is set later is never invoked, without an error, and plaintext goes out. So nothing else calls
 * addTransceiver or addTrack, and a track is attached only after the Worker has confirmed that the
 * browser has put the transform to work.
 */

import { sumUp } from "./frame-fates.js";
import { readSendingSources } from "./sending-sources.js";

/** @typedef {import("./messages.js").PageMessage} PageMessage */
/** @typedef {import("./messages.js").WorkerMessage} WorkerMessage */

/** Receiving pairs that are ready before anybody needs them. */
const SPARE_PAIRS = 4;

/**
 * With more, offer and answer together would not fit the tunnel's 16-bit length (RFC 9185, Section
 * 6).
 */
const MAXIMUM_PAIRS = 25;

/** A data channel that both ends know of beforehand; it ends in the Key Distributor. */
const KEY_CHANNEL_LABEL = "perc-key-distributor";
const KEY_CHANNEL = { negotiated: true, id: 0, ordered: true };

const CODECS = /** @type {const} */ ({
  audio: ["audio/opus"],
  video: ["video/vp8", "video/rtx"],
});

/**
 * The only header extension that is needed. Audio levels would tell the Media Distributor who
 * speaks when.
 */
const EXTENSION_MID = "urn:ietf:params:rtp-hdrext:sdes:mid";

/** Whether this browser can do what the page relies on; without it the page refuses to join. */
export function isSupported() {
  return (
    typeof RTCRtpScriptTransform === "function" &&
    typeof RTCRtpTransceiver.prototype.setCodecPreferences === "function"
  );
}

/** @typedef {{ slot: number, kind: "audio" | "video", transceiver: RTCRtpTransceiver }} Slot */

/**
 * The transceivers and the key channel of one RTCPeerConnection.
 *
 * Events: every WorkerMessage as a CustomEvent named by its `op`, with the message as detail.
 */
export class MediaConnection extends EventTarget {
  /** @type {Map<number, Slot>} */
  #slots = new Map();
  /** @type {Map<number, PromiseWithResolvers<void>>} */
  #transformed = new Map();
  #pc;
  #worker;

  /**
   * @param {RTCPeerConnection} pc
   * @param {Worker} worker one that has said `ready`
   */
  constructor(pc, worker) {
    super();
    this.#pc = pc;
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#hear(data);
  }

  /**
   * A transform Worker, ready to be given transforms.
   *
   * @returns {Promise<Worker>}
   */
  static startWorker() {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    return new Promise((resolve, reject) => {
      worker.onmessage = () => resolve(worker);
      worker.onerror = () => reject(new Error("the transform Worker did not start"));
    });
  }

  /**
   * Makes the key channel, two senders and the first receiving pairs, all in this task.
   *
   * @param {string} identity what this endpoint asserts
   * @param {number} present pairs of sources that are in the conference already
   */
  open(identity, present) {
    // "An RTCDataChannel can be transferred only in the same task that creates it": keys never
    // touch the page's thread.
    const channel = this.#pc.createDataChannel(KEY_CHANNEL_LABEL, KEY_CHANNEL);
    this.#worker.postMessage({ op: "connect", channel, identity }, [channel]);
    this.audio = this.#addTransceiver("audio", "sendonly");
    this.video = this.#addTransceiver("video", "sendonly");
    this.#addPairs(present + SPARE_PAIRS);
  }

  /**
   * Makes room for the sources that the conference has.
   *
   * @param {number} present pairs of sources
   * @returns {boolean} whether pairs were added, so that an offer is needed
   */
  makeRoom(present) {
    const pairs = this.#receivingPairs;
    if (present <= pairs || pairs >= MAXIMUM_PAIRS) return false;
    this.#addPairs(Math.max(present, 2 * pairs) - pairs);
    return true;
  }

  /** Tells the Key Distributor which SSRCs the current local description sends. */
  announce() {
    const sdp = this.#pc.localDescription?.sdp ?? "";
    this.post({ op: "announce", sources: readSendingSources(sdp) });
  }

  /**
   * Attaches a track, or takes it away; never before the transform works.
   *
   * @param {"audio" | "video"} kind
   * @param {MediaStreamTrack | null} track
   */
  async attach(kind, track) {
    const sending = kind === "audio" ? this.audio : this.video;
    if (sending === undefined) throw new Error("the connection is not open");
    await this.#transformed.get(sending.slot)?.promise;
    await sending.transceiver.sender.replaceTrack(track);
  }

  /** @param {number} slot */
  trackOf(slot) {
    return this.#slots.get(slot)?.transceiver.receiver.track ?? null;
  }

  /** @param {PageMessage} message */
  post(message) {
    this.#worker.postMessage(message);
  }

  /**
   * The Worker's counters by slot.
   *
   * @returns {Promise<Record<number, Record<string, number>>>}
   */
  statistics() {
    return new Promise((resolve) => {
      const take = (/** @type {Event} */ event) =>
        resolve(/** @type {CustomEvent} */ (event).detail.slots);
      this.addEventListener("statistics", take, { once: true });
      this.post({ op: "statistics" });
    });
  }

  /**
   * What has become of frames so far.
   *
   * @returns {Promise<{ sent: import("./frame-fates.js").Fates,
   *   received: import("./frame-fates.js").Fates }>}
   */
  async fates() {
    const sending = [this.audio?.slot, this.video?.slot];
    const counters = Object.entries(await this.statistics());
    const of = (/** @type {boolean} */ isSending) =>
      sumUp(
        counters
          .filter(([slot]) => sending.includes(Number(slot)) === isSending)
          .map(([, counts]) => counts),
      );
    return { sent: of(true), received: of(false) };
  }

  close() {
    this.post({ op: "close" });
    this.#pc.close();
    this.#worker.terminate();
  }

  get #receivingPairs() {
    return [...this.#slots.values()].filter(({ kind }) => kind === "audio").length - 1;
  }

  /** @param {number} count */
  #addPairs(count) {
    const room = MAXIMUM_PAIRS - this.#receivingPairs;
    for (let pair = 0; pair < Math.min(count, room); pair++) {
      this.#addTransceiver("audio", "recvonly");
      this.#addTransceiver("video", "recvonly");
    }
  }

  /**
   * A transceiver together with its transform.
   *
   * @param {"audio" | "video"} kind
   * @param {"sendonly" | "recvonly"} direction
   * @returns {Slot}
   */
  #addTransceiver(kind, direction) {
    const transceiver = this.#pc.addTransceiver(kind, { direction });
    const slot = this.#slots.size;
    const isSending = direction === "sendonly";
    /** @type {import("./messages.js").TransformOptions} */
    const options = { slot, kind, direction: isSending ? "send" : "receive" };
    const end = isSending ? transceiver.sender : transceiver.receiver;
    end.transform = new RTCRtpScriptTransform(this.#worker, options);
    limit(transceiver, kind);
    const entry = { slot, kind, transceiver };
    this.#slots.set(slot, entry);
    this.#transformed.set(slot, Promise.withResolvers());
    return entry;
  }

  /** @param {number} slot one that sends */
  async #makeKeyFrame(slot) {
    const sender = this.#slots.get(slot)?.transceiver.sender;
    if (sender === undefined) return;
    const parameters = sender.getParameters();
    const encodingOptions = parameters.encodings.map(() => ({ keyFrame: true }));
    // WebRTC Extensions, "RTCSetParameterOptions"; TypeScript does not know it yet.
    const setParameters = /** @type {any} */ (sender).setParameters.bind(sender);
    // Two requests at once invalidate each other's parameters; the Worker asks again if no key
    // frame comes.
    await setParameters(parameters, { encodingOptions }).catch(() => {});
  }

  /** @param {WorkerMessage} message */
  #hear(message) {
    if (message.op === "transformed") this.#transformed.get(message.slot)?.resolve();
    if (message.op === "key-frame") this.#makeKeyFrame(message.slot);
    this.dispatchEvent(new CustomEvent(message.op, { detail: message }));
  }
}

/**
 * Leaves only the codecs and header extensions in use, so that 25 pairs fit an offer.
 *
 * @param {RTCRtpTransceiver} transceiver
 * @param {"audio" | "video"} kind
 */
function limit(transceiver, kind) {
  const wanted = /** @type {readonly string[]} */ (CODECS[kind]);
  const capable = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  transceiver.setCodecPreferences(
    capable.filter(({ mimeType }) => wanted.includes(mimeType.toLowerCase())),
  );
  // WebRTC Extensions, Section "RTP header extension control"; TypeScript does not know it yet.
  const extended = /** @type {any} */ (transceiver);
  const extensions = extended.getHeaderExtensionsToNegotiate();
  for (const extension of extensions) {
    extension.direction = extension.uri === EXTENSION_MID ? "sendrecv" : "stopped";
  }
  extended.setHeaderExtensionsToNegotiate(extensions);
}
