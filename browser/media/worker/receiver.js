/**
 * The inner layer of one source that others send (RFC 8723, Section 5.3).
 *
 * A frame is tried with the keys that its source has announced. Nothing is remembered of a frame
 * that does not authenticate.
 */

import { ReplayWindow, RisingIndex, estimateIndex } from "./counters.js";
import { splitEKTField } from "./ekt-field.js";
import { readOriginalHeader } from "./original-header.js";
import { FrameDropped } from "./statistics.js";

/** @typedef {import("./receiver-keys.js").Offer} Offer */

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
  #keys;
  #replay;

  /**
   * @param {number} ssrc
   * @param {import("./payload-format.js").PayloadFormat} format
   * @param {import("./receiver-keys.js").ReceiverKeys} keys
   */
  constructor(ssrc, format, keys) {
    this.#ssrc = ssrc;
    this.#format = format;
    this.#keys = keys;
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
    if (unknownType) this.#keys.statistics.count("field-unknown-type");
    const offer = field === null ? null : await this.#keys.read(field, this.#replay, now);
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
   * Tries the known keys, the newest first ("MAY perform trial decryption with both the old key and
   * the new key").
   *
   * @param {InnerPacket} inner
   * @param {Offer | null} offer
   * @param {number} now
   */
  async #open({ header, prefix, ciphertext }, offer, now) {
    const keys = this.#keys.usable(now);
    if (keys.length === 0) throw new FrameDropped("no-key");
    const indices = this.#possibleIndices(header.sequence, offer);
    if (indices.length === 0) throw new FrameDropped("replayed");
    for (const { cipher } of keys) {
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
    const likely =
      highest < 0 ? this.#keys.roc * 0x10000 + sequence : estimateIndex(highest, sequence);
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
    if (offer !== null && Math.floor(index / 0x10000) === offer.roc) this.#keys.confirm(offer);
  }
}

/**
 * @param {import("./inner-cipher.js").InnerCipher} cipher
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
