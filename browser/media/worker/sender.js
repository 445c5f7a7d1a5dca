/**
 * The inner layer of one source that this endpoint sends (RFC 8723, Section 5.1).
 *
 * The index continues through all master keys, so that no (key, IV) is used twice.
 */

import { SendingIndex } from "./counters.js";
import { SHORT_EKT_FIELD } from "./ekt-field.js";
import { FULL_BLOCK_LENGTH, writeOriginalHeader } from "./original-header.js";
import { SenderKeys } from "./sender-keys.js";
import { FrameDropped } from "./statistics.js";

/**
 * "it is RECOMMENDED that the FullEKTField be transmitted in three consecutive packets" (RFC 8870,
 * Section 4.6)
 */
const CONSECUTIVE_FULL_FIELDS = 3;

/**
 * "If only sending audio, the RECOMMENDED frequency is every 100ms." Video: with each key frame.
 */
const AUDIO_FULL_FIELD_PERIOD = 100;

/** @typedef {import("./parameter-sets.js").ParameterSet} ParameterSet */

/**
 * @typedef {object} OutgoingFrame
 * @property {ArrayBuffer} data
 * @property {number} payloadType
 * @property {number} timestamp
 * @property {boolean} isKeyFrame
 */

/** Protects the frames of one SSRC. */
export class InnerSender {
  #ssrc;
  #format;
  #index;
  #keys;
  #fullFieldsDue = 0;
  #lastFullField = -Infinity;

  /**
   * @param {number} ssrc
   * @param {import("./payload-format.js").PayloadFormat} format
   * @param {{ index?: SendingIndex, keys?: SenderKeys }} [state]
   */
  constructor(ssrc, format, { index = SendingIndex.random(), keys = new SenderKeys() } = {}) {
    this.#ssrc = ssrc;
    this.#format = format;
    this.#index = index;
    this.#keys = keys;
  }

  /** A new transform took this source over: it starts with a new master key. The index continues. */
  restart() {
    this.#keys.restart();
  }

  /** The EKTKey whose master key encrypts now, or null. */
  get activeSpi() {
    return this.#keys.active?.set.spi ?? null;
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
    const before = this.#keys.newest;
    const active = await this.#keys.follow(set, now);
    if (this.#keys.newest !== before) this.#fullFieldsDue = CONSECUTIVE_FULL_FIELDS;
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
   * The field that ends this frame, with the newest key in it when one is due.
   *
   * @param {OutgoingFrame} frame
   * @param {number} index
   * @param {number} now
   */
  async #field(frame, index, now) {
    const { newest } = this.#keys;
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
}
