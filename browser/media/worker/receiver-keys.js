/**
 * The master keys of one source that others send, as its FullEKTFields announce them (RFC 8870,
 * Section 4.3.2).
 *
 * A FullEKTField brings a key or is put aside. Nothing in it but a key that authenticated under the
 * EKTKey is remembered before a frame has confirmed it.
 */

import { readEKTPlaintext } from "./ekt-field.js";
import { InnerCipher } from "./inner-cipher.js";
import { FrameDropped } from "./statistics.js";
import { equal } from "./wire.js";

/**
 * The key that is announced, the one that encrypts meanwhile, and one for frames that were
 * overtaken: a rekey within the overlap of another has all three.
 */
const KEYS_KEPT = 3;

/** @typedef {import("./ekt-field.js").FullEKTField} FullEKTField */
/** @typedef {import("./parameter-sets.js").ParameterSet} ParameterSet */
/**
 * @typedef {object} ReceiverKey
 * @property {ParameterSet} set the EKTKey that it was announced under
 * @property {number} epoch
 * @property {Uint8Array} masterKey
 * @property {InnerCipher} cipher
 */
/**
 * @typedef {{ ciphertext: Uint8Array, roc: number }} Offer the content of a field that no frame has
 *   confirmed yet
 */

/** What one SSRC has announced. */
export class ReceiverKeys {
  /** @type {ReceiverKey[]} the one that was announced last first */
  keys = [];
  /** The ROC of the last field accepted, for the time before the first frame. */
  roc = 0;
  #ssrc;
  #sets;
  /** @type {Map<ParameterSet, number>} the highest epoch seen under each EKTKey */
  #epochs = new Map();
  /** @type {Uint8Array} the last EKTCiphertext accepted */
  #accepted = new Uint8Array(0);
  /** The ROC in it. */
  #acceptedRoc = 0;

  /**
   * @param {number} ssrc
   * @param {import("./parameter-sets.js").ParameterSets} sets
   * @param {import("./statistics.js").Statistics} statistics of fields that are put aside
   */
  constructor(ssrc, sets, statistics) {
    this.#ssrc = ssrc;
    this.#sets = sets;
    this.statistics = statistics;
  }

  /**
   * Drops the keys whose EKTKey is over.
   *
   * @param {number} now milliseconds
   */
  usable(now) {
    this.keys = this.keys.filter(({ set }) => this.#sets.has(set, now));
    return this.keys;
  }

  /**
   * Follows the steps of RFC 8870, Section 4.3.2. Null if nothing in the field is to be believed.
   *
   * @param {FullEKTField} field
   * @param {{ highest: number }} replay the highest index received, or -1
   * @param {number} now milliseconds
   * @returns {Promise<Offer | null>}
   * @throws {FrameDropped}
   */
  async read(field, replay, now) {
    // Known, and still the only source of the ROC after more than half of all SEQs were lost.
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
      return this.#isResynchronisation({ set, epoch, masterKey }, roc, replay)
        ? { ciphertext, roc }
        : this.#putAside("field-epoch");
    }
    const cipher = await InnerCipher.derive(masterKey, set.salt);
    this.#forgetEpochs(now);
    this.#epochs.set(set, epoch);
    this.keys = [{ set, epoch, masterKey, cipher }, ...this.keys].slice(0, KEYS_KEPT);
    this.#accepted = ciphertext;
    this.#acceptedRoc = this.roc = roc;
    return { ciphertext, roc };
  }

  /**
   * A frame with the offered ROC authenticated.
   *
   * @param {Offer} offer
   */
  confirm({ ciphertext, roc }) {
    this.#accepted = ciphertext;
    this.#acceptedRoc = roc;
  }

  /** @param {number} now */
  #forgetEpochs(now) {
    for (const set of this.#epochs.keys()) {
      if (!this.#sets.has(set, now)) this.#epochs.delete(set);
    }
  }

  /**
   * The one exception to the rule of epochs is a key already known, with a ROC further on. A source
   * that paused may come back so.
   *
   * @param {Omit<ReceiverKey, "cipher">} announced
   * @param {number} roc
   * @param {{ highest: number }} replay
   */
  #isResynchronisation({ set, epoch, masterKey }, roc, { highest }) {
    const known = this.keys.find((key) => key.set === set && key.epoch === epoch);
    const reached = highest < 0 ? this.roc : Math.floor(highest / 0x10000);
    return known !== undefined && equal(known.masterKey, masterKey) && roc > reached;
  }

  /** @param {"field-epoch" | "field-ssrc"} reason */
  #putAside(reason) {
    this.statistics.count(reason);
    return null;
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
