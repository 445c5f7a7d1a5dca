/**
 * The inner layer of one source that others send (RFC 8723, Section 5.3; RFC 8870, Section 4.3.2).
 *
 * A FullEKTField brings a key or is put aside; the frame is then tried with the keys that are
 * known. Nothing is remembered of a frame that does not authenticate, but a key that authenticated
 * under the EKTKey.
 */

import { ReplayWindow, RisingIndex, estimateIndex } from "./counters.js";
import { readEKTPlaintext, splitEKTField } from "./ekt-field.js";
import { InnerCipher } from "./inner-cipher.js";
import { readOriginalHeader } from "./original-header.js";
import { FrameDropped } from "./statistics.js";
import { equal } from "./wire.js";

/**
 * The key that is told, the one that encrypts meanwhile, and one for frames that were overtaken: a
 * rekey within the overlap of another has all three.
 */
const KEYS_KEPT = 3;

/** @typedef {import("./ekt-field.js").FullEKTField} FullEKTField */
/** @typedef {import("./parameter-sets.js").ParameterSet} ParameterSet */
/**
 * @typedef {object} ReceiverKey
 * @property {ParameterSet} set the EKTKey that it was told under
 * @property {number} epoch
 * @property {Uint8Array} masterKey
 * @property {InnerCipher} cipher
 */
/**
 * @typedef {{ ciphertext: Uint8Array, roc: number }} Offer what a field said that is not yet proved
 *   by a frame
 */

/**
 * @typedef {object} InnerPacket
 * @property {Omit<import("./inner-cipher.js").InnerHeader, "index"> & { sequence: number }} header
 * @property {Uint8Array} prefix
 * @property {Uint8Array<ArrayBuffer>} ciphertext
 */

/**
 * @typedef {object} IncomingFrame
 * @property {ArrayBuffer} data
 * @property {number} timestamp
 * @property {number} payloadType of the outer header
 * @property {number} sequence of the outer header; video has none that means anything here
 */

/** Opens the frames of one SSRC. */
export class InnerReceiver {
  #ssrc;
  #format;
  #sets;
  #statistics;
  #replay;
  /** @type {ReceiverKey[]} the one that was told last first */
  #keys = [];
  /** @type {Map<ParameterSet, number>} the highest epoch seen under each EKTKey */
  #epochs = new Map();
  /** @type {Uint8Array} the last EKTCiphertext accepted */
  #accepted = new Uint8Array(0);
  /** The ROC in it. */
  #acceptedRoc = 0;
  /** The ROC of the last field accepted, for the time before the first frame. */
  #roc = 0;

  /**
   * @param {number} ssrc
   * @param {import("./payload-format.js").PayloadFormat} format
   * @param {import("./parameter-sets.js").ParameterSets} sets
   * @param {import("./statistics.js").Statistics} statistics of fields that are put aside
   */
  constructor(ssrc, format, sets, statistics) {
    this.#ssrc = ssrc;
    this.#format = format;
    this.#sets = sets;
    this.#statistics = statistics;
    this.#replay = format.kind === "audio" ? new ReplayWindow() : new RisingIndex();
  }

  /**
   * The media of a frame that authenticates and is new.
   *
   * @param {IncomingFrame} frame
   * @param {number} now milliseconds
   * @throws {FrameDropped}
   */
  async unprotect(frame, now) {
    const { body, field, unknownType } = splitEKTField(new Uint8Array(frame.data));
    const inner = this.#readInner(body, frame);
    if (unknownType) this.#statistics.count("field-unknown-type");
    const offer = field === null ? null : await this.#readField(field, now);
    return this.#open(inner, offer, now);
  }

  /**
   * The inner packet as its sender made it; of a frame that has none, not even the field counts.
   *
   * @param {Uint8Array<ArrayBuffer>} body payload without its EKTField
   * @param {IncomingFrame} frame
   * @returns {InnerPacket}
   */
  #readInner(body, { payloadType, sequence, timestamp }) {
    const received = { payloadType, sequence, marker: this.#format.marker };
    const { length, original } = readOriginalHeader(body, received);
    const prefixed = body.subarray(0, body.length - length);
    const prefix = this.#format.readPrefix(prefixed);
    const header = { ssrc: this.#ssrc, timestamp, ...original };
    return { header, prefix, ciphertext: prefixed.subarray(prefix.length) };
  }

  /**
   * Follows the steps of RFC 8870, Section 4.3.2. Null if nothing in it is to be believed.
   *
   * @param {FullEKTField} field
   * @param {number} now
   * @returns {Promise<Offer | null>}
   */
  async #readField(field, now) {
    // Known, and still the only one who says the ROC after more than half of all SEQs were lost.
    if (equal(field.ciphertext, this.#accepted)) {
      return { ciphertext: this.#accepted, roc: this.#acceptedRoc };
    }
    // "If there is no matching SPI, then the verification function MUST return an indication of
    // authentication failure"
    const set = this.#sets.find(field.spi, now);
    if (set === null) throw new FrameDropped("unknown-spi");
    const { masterKey, ssrc, roc } = readEKTPlaintext(await decrypt(set, field.ciphertext));
    // "If the SSRC in the EKTPlaintext does not match […] then this FullEKTField MUST be discarded"
    if (ssrc !== this.#ssrc) return this.#putAside("field-ssrc");
    // "The length of the SRTP Master Key MUST be the same as the master key length for the SRTP
    // transform in use"
    if (masterKey.length !== set.masterKeyLength) throw new FrameDropped("key-length");
    const ciphertext = field.ciphertext.slice();
    // "The recipient of a FullEKTField MUST reject any future FullEKTField for this SPI and SSRC
    // that has an equal or lower epoch"
    const { epoch } = field;
    if (epoch <= (this.#epochs.get(set) ?? -1)) {
      return this.#isResynchronisation({ set, epoch, masterKey }, roc)
        ? { ciphertext, roc }
        : this.#putAside("field-epoch");
    }
    const cipher = await InnerCipher.derive(masterKey, set.salt);
    this.#forgetEpochs(now);
    this.#epochs.set(set, epoch);
    this.#keys = [{ set, epoch, masterKey, cipher }, ...this.#keys].slice(0, KEYS_KEPT);
    this.#accepted = ciphertext;
    this.#acceptedRoc = this.#roc = roc;
    return { ciphertext, roc };
  }

  /** @param {number} now */
  #forgetEpochs(now) {
    for (const set of this.#epochs.keys()) {
      if (!this.#sets.has(set, now)) this.#epochs.delete(set);
    }
  }

  /**
   * The one exception to the rule of epochs: a key already known, with a ROC further on. A source
   * that paused may come back so.
   *
   * @param {Omit<ReceiverKey, "cipher">} told
   * @param {number} roc
   */
  #isResynchronisation({ set, epoch, masterKey }, roc) {
    const known = this.#keys.find((key) => key.set === set && key.epoch === epoch);
    const reached =
      this.#replay.highest < 0 ? this.#roc : Math.floor(this.#replay.highest / 0x10000);
    return known !== undefined && equal(known.masterKey, masterKey) && roc > reached;
  }

  /** @param {"field-epoch" | "field-ssrc"} reason */
  #putAside(reason) {
    this.#statistics.count(reason);
    return null;
  }

  /**
   * Tries the known keys, the newest first ("MAY perform trial decryption with both the old key and
   * the new key").
   *
   * @param {InnerPacket} inner
   * @param {Offer | null} offer
   * @param {number} now
   */
  async #open({ header, prefix, ciphertext }, offer, now) {
    this.#keys = this.#keys.filter(({ set }) => this.#sets.has(set, now));
    if (this.#keys.length === 0) throw new FrameDropped("no-key");
    const indices = this.#possibleIndices(header.sequence, offer);
    if (indices.length === 0) throw new FrameDropped("replayed");
    for (const { cipher } of this.#keys) {
      for (const index of indices) {
        const media = await opened(cipher, { ...header, index }, prefix, ciphertext);
        if (media !== null) {
          this.#commit(index, offer);
          return media;
        }
      }
    }
    throw new FrameDropped("not-authentic");
  }

  /**
   * The indices, not seen yet, that the sequence number may stand for: with the ROC of a new field
   * first, then the likely one.
   *
   * @param {number} sequence
   * @param {Offer | null} offer
   */
  #possibleIndices(sequence, offer) {
    const { highest } = this.#replay;
    const likely = highest < 0 ? this.#roc * 0x10000 + sequence : estimateIndex(highest, sequence);
    const offered = offer === null ? likely : offer.roc * 0x10000 + sequence;
    return [...new Set([offered, likely])].filter((index) => this.#replay.isFresh(index));
  }

  /**
   * @param {number} index
   * @param {Offer | null} offer
   */
  #commit(index, offer) {
    // The same packet may have come twice while the cipher was at work.
    if (!this.#replay.isFresh(index)) throw new FrameDropped("replayed");
    this.#replay.accept(index);
    if (offer !== null && Math.floor(index / 0x10000) === offer.roc) {
      this.#accepted = offer.ciphertext;
      this.#acceptedRoc = offer.roc;
    }
  }
}

/**
 * @param {ParameterSet} set
 * @param {Uint8Array} ciphertext
 */
async function decrypt(set, ciphertext) {
  try {
    return await set.decrypt(ciphertext);
  } catch {
    // "The receiver SHOULD discard the whole UDP packet."
    throw new FrameDropped("unwrap-failed");
  }
}

/**
 * @param {InnerCipher} cipher
 * @param {import("./inner-cipher.js").InnerHeader} header
 * @param {Uint8Array} prefix
 * @param {Uint8Array<ArrayBuffer>} ciphertext
 */
async function opened(cipher, header, prefix, ciphertext) {
  try {
    return await cipher.open(header, prefix, ciphertext);
  } catch (error) {
    if (error instanceof FrameDropped) return null;
    throw error;
  }
}
