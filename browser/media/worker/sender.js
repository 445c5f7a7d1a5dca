/**
 * The inner layer of one source that this endpoint sends (RFC 8723, Section 5.1; RFC 8870, Section
 * 4.3.1).
 *
 *   no master key ──first EKTKey──▶ active ──new EKTKey──▶ active + announced ──250 ms──▶ active
 *
 * One fresh master key per SSRC, per EKTKey and per transform; the index goes on through all of
 * them, so that no (key, IV) is used twice.
 */

import { SendingIndex } from "./counters.js";
import { SHORT_EKT_FIELD, writeEKTPlaintext, writeFullEKTField } from "./ekt-field.js";
import { InnerCipher } from "./inner-cipher.js";
import { FULL_BLOCK_LENGTH, writeOriginalHeader } from "./original-header.js";
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

/**
 * "it is RECOMMENDED that the FullEKTField be transmitted in three consecutive packets" (RFC 8870,
 * Section 4.6)
 */
const CONSECUTIVE_FULL_FIELDS = 3;

/**
 * "If only sending audio, the RECOMMENDED frequency is every 100ms." Video: with each key frame.
 */
const AUDIO_FULL_FIELD_PERIOD = 100;

const MAXIMUM_EPOCH = 0xffff;

/** @typedef {import("./parameter-sets.js").ParameterSet} ParameterSet */

/**
 * @typedef {object} OutgoingFrame
 * @property {ArrayBuffer} data
 * @property {number} payloadType
 * @property {number} timestamp
 * @property {boolean} isKeyFrame
 */

/** A master key of this source, and how it is told to the others. */
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

/** Protects the frames of one SSRC. */
export class InnerSender {
  #ssrc;
  #format;
  #index;
  /** @type {MasterKey | null} the key that encrypts */
  #active = null;
  /**
   * @type {MasterKey | null} a newer key that has been told, or is about to be, and does not
   *   encrypt yet
   */
  #announced = null;
  #switchAt = Infinity;
  #fullFieldsDue = 0;
  #lastFullField = -Infinity;
  /** @type {{ spi: number, next: number }} the epoch of the next master key under an EKTKey */
  #epoch = { spi: -1, next: 0 };

  /**
   * @param {number} ssrc
   * @param {import("./payload-format.js").PayloadFormat} format
   * @param {SendingIndex} [index]
   */
  constructor(ssrc, format, index = SendingIndex.random()) {
    this.#ssrc = ssrc;
    this.#format = format;
    this.#index = index;
  }

  /** A new transform took this source over: it starts with a new master key. The index goes on. */
  restart() {
    this.#active = null;
    this.#announced = null;
  }

  /** The EKTKey whose master key encrypts now, or null. */
  get activeSpi() {
    return this.#active?.set.spi ?? null;
  }

  /**
   * The protected payload of a frame: `prefix ‖ ciphertext ‖ tag ‖ OHB ‖ EKTField`.
   *
   * @param {OutgoingFrame} frame
   * @param {ParameterSet} set the EKTKey to use now
   * @param {number} now milliseconds
   */
  async protect(frame, set, now) {
    const index = this.#index.take();
    const active = await this.#follow(set, now);
    const field = await this.#field(frame, index, now);
    const prefix = this.#format.prefixOf(frame.isKeyFrame);
    const { payloadType, timestamp } = frame;
    const header = {
      ssrc: this.#ssrc,
      timestamp,
      payloadType,
      marker: this.#format.marker,
      index,
    };
    const sealed = new Uint8Array(await active.cipher.seal(header, prefix, frame.data));
    const blockAt = prefix.length + sealed.length;
    const payload = new Uint8Array(blockAt + FULL_BLOCK_LENGTH + field.length);
    if (payload.length > this.#format.maximumLength) throw new FrameDropped("too-large");
    payload.set(prefix);
    payload.set(sealed, prefix.length);
    const original = { payloadType, sequence: index % 0x10000, marker: header.marker };
    writeOriginalHeader(payload, blockAt, original);
    payload.set(field, blockAt + FULL_BLOCK_LENGTH);
    return payload.buffer;
  }

  /**
   * The key that encrypts this frame, after following a change of EKTKey: "it MUST also change its
   * SRTP master key" (RFC 8870, Section 4.5).
   *
   * @param {ParameterSet} set
   * @param {number} now
   */
  async #follow(set, now) {
    const newest = this.#announced ?? this.#active;
    if (newest === null || newest.set !== set) {
      const fresh = await MasterKey.generate(set, this.#takeEpoch(set.spi));
      // The overlap of an earlier change ends here: what was told already encrypts until the next
      // switch.
      this.#active = newest;
      this.#announced = fresh;
      this.#fullFieldsDue = CONSECUTIVE_FULL_FIELDS;
      this.#switchAt = Math.min(now + OVERLAP, set.installedAt + LONGEST_OVERLAP);
    }
    const active = this.#active;
    const isOver = active === null || now >= this.#switchAt || now >= active.set.expiresAt;
    if (this.#announced === null || !isOver) return /** @type {MasterKey} */ (active);
    this.#active = this.#announced;
    this.#announced = null;
    return this.#active;
  }

  /**
   * The field that ends this frame, with the newest key in it when one is due.
   *
   * @param {OutgoingFrame} frame
   * @param {number} index
   * @param {number} now
   */
  async #field(frame, index, now) {
    const newest = this.#announced ?? this.#active;
    if (newest === null || !this.#isFullFieldDue(frame, now)) return SHORT_EKT_FIELD;
    this.#fullFieldsDue = Math.max(0, this.#fullFieldsDue - 1);
    this.#lastFullField = now;
    return newest.fullField(this.#ssrc, Math.floor(index / 0x10000));
  }

  /**
   * @param {OutgoingFrame} frame
   * @param {number} now
   */
  #isFullFieldDue(frame, now) {
    if (this.#fullFieldsDue > 0 || frame.isKeyFrame) return true;
    const isAudio = this.#format.kind === "audio";
    return isAudio && now - this.#lastFullField >= AUDIO_FULL_FIELD_PERIOD;
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
