/**
 * The master keys of one source that this endpoint sends (RFC 8870, Section 4.3.1 and 4.5).
 *
 *   no master key ──first EKTKey──▶ active ──new EKTKey──▶ active + announced ──250 ms──▶ active
 *
 * One fresh master key per SSRC, per EKTKey and per transform.
 */

import { SHORT_EKT_FIELD, writeEKTPlaintext, writeFullEKTField } from "./ekt-field.js";
import { InnerCipher } from "./inner-cipher.js";
import { FrameDropped } from "./statistics.js";

/**
 * "Outbound packets SHOULD continue to use the old SRTP Master Key for 250 ms after sending any new
 * key"
 */
const OVERLAP = 250;

/**
 * A source that sends seldom must not stretch the overlap: this long after the EKTKey came, the old
 * key is over.
 */
const LONGEST_OVERLAP = 500;

const MAXIMUM_EPOCH = 0xffff;

/** @typedef {import("./parameter-sets.js").ParameterSet} ParameterSet */

/** A master key of this source, and the field that announces it to the other endpoints. */
class MasterKey {
  #octets;
  #roc = -1;
  #field = SHORT_EKT_FIELD;

  /**
   * @param {Uint8Array<ArrayBuffer>} octets
   * @param {InnerCipher} cipher
   * @param {ParameterSet} set
   * @param {number} epoch
   */
  constructor(octets, cipher, set, epoch) {
    this.#octets = octets;
    this.cipher = cipher;
    this.set = set;
    this.epoch = epoch;
  }

  /**
   * "SRTP master keys MUST be randomly generated" (RFC 8870, Section 6)
   *
   * @param {ParameterSet} set
   * @param {number} epoch
   */
  static async generate(set, epoch) {
    if (epoch > MAXIMUM_EPOCH) throw new FrameDropped("exhausted");
    const octets = crypto.getRandomValues(new Uint8Array(set.masterKeyLength));
    return new MasterKey(octets, await InnerCipher.derive(octets, set.salt), set, epoch);
  }

  /**
   * The FullEKTField; computed again only when the ROC has changed.
   *
   * @param {number} ssrc
   * @param {number} roc
   */
  async fullField(ssrc, roc) {
    if (roc !== this.#roc) {
      const plaintext = writeEKTPlaintext({ masterKey: this.#octets, ssrc, roc });
      const ciphertext = await this.set.encrypt(plaintext);
      this.#field = writeFullEKTField({ ciphertext, spi: this.set.spi, epoch: this.epoch });
      this.#roc = roc;
    }
    return this.#field;
  }
}

/** The key that encrypts, and the one that has been announced to replace it. */
export class SenderKeys {
  /** @type {MasterKey | null} the key that encrypts */
  active = null;
  /**
   * @type {MasterKey | null} a newer key that has been announced, or is about to be, and does not
   *   encrypt yet
   */
  announced = null;
  #switchAt = Infinity;
  /** @type {{ spi: number, next: number }} the epoch of the next master key under an EKTKey */
  #epoch = { spi: -1, next: 0 };

  /** The key that FullEKTFields announce, or null. */
  get newest() {
    return this.announced ?? this.active;
  }

  /** Forget the keys: the next frame starts with a new master key. */
  restart() {
    this.active = null;
    this.announced = null;
  }

  /**
   * The key that encrypts this frame, after following a change of EKTKey: "it MUST also change its
   * SRTP master key" (RFC 8870, Section 4.5).
   *
   * @param {ParameterSet} set
   * @param {number} now milliseconds
   */
  async follow(set, now) {
    const { newest } = this;
    if (newest === null || newest.set !== set) {
      const fresh = await MasterKey.generate(set, this.#takeEpoch(set.spi));
      // The overlap of an earlier change ends here: the key that was announced already encrypts
      // until the next switch.
      this.active = newest;
      this.announced = fresh;
      this.#switchAt = Math.min(now + OVERLAP, set.installedAt + LONGEST_OVERLAP);
    }
    const { active } = this;
    const isOver = active === null || now >= this.#switchAt || now >= active.set.expiresAt;
    if (this.announced === null || !isOver) return /** @type {MasterKey} */ (active);
    this.active = this.announced;
    this.announced = null;
    return this.active;
  }

  /**
   * "It starts at zero at the beginning of a session and resets to zero whenever the EKTKey is
   * changed"
   *
   * @param {number} spi
   */
  #takeEpoch(spi) {
    if (this.#epoch.spi !== spi) this.#epoch = { spi, next: 0 };
    return this.#epoch.next++;
  }
}
