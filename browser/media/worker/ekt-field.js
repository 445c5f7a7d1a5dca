/**
 * Framing of the EKTField, which ends every packet or frame (RFC 8870, Section 4.1), and of the
 * EKTPlaintext inside.
 */

import { FrameDropped } from "./statistics.js";
import { concatenate, uint } from "./wire.js";

const TYPE_SHORT = 0;
const TYPE_RESERVED_LEGACY = 1;
const TYPE_FULL = 2;

const FULL_TRAILER = 2 + 2 + 2 + 1; // SPI, Epoch, EKTMsgLength, message type
const EXTENSION_TRAILER = 2 + 1;
const MAX_CIPHERTEXT = 251;
const MAX_EXTENSION_DATA = 1024;

export const SHORT_EKT_FIELD = new Uint8Array([TYPE_SHORT]);

/** @typedef {{ ciphertext: Uint8Array<ArrayBuffer>, spi: number, epoch: number }} FullEKTField */
/** @typedef {{ masterKey: Uint8Array<ArrayBuffer>, ssrc: number, roc: number }} EKTPlaintext */

/** @param {FullEKTField} field */
export function writeFullEKTField({ ciphertext, spi, epoch }) {
  const length = uint(ciphertext.length + FULL_TRAILER, 2);
  return concatenate(ciphertext, uint(spi, 2), uint(epoch, 2), length, uint(TYPE_FULL, 1));
}

/**
 * Takes the EKTField off the end of a payload.
 *
 * @param {Uint8Array<ArrayBuffer>} payload
 * @returns {{ body: Uint8Array<ArrayBuffer>, field: FullEKTField | null, unknownType: boolean }}
 */
export function splitEKTField(payload) {
  const type = payload.at(-1);
  if (type === TYPE_SHORT)
    return { body: payload.subarray(0, -1), field: null, unknownType: false };
  // Type 1 belongs to implementations older than the length: nobody can say where its field starts.
  if (type === undefined || type === TYPE_RESERVED_LEGACY) throw new FrameDropped("malformed");
  const length = lengthOf(payload);
  // "If a received EKT tag has an unknown message type, then the receiver MUST discard the whole
  // EKT tag."
  if (type !== TYPE_FULL) {
    check(length, EXTENSION_TRAILER + 1, EXTENSION_TRAILER + MAX_EXTENSION_DATA);
    return { body: payload.subarray(0, -length), field: null, unknownType: true };
  }
  check(length, FULL_TRAILER + 1, FULL_TRAILER + MAX_CIPHERTEXT);
  const body = payload.subarray(0, -length);
  return { body, field: readFull(payload.subarray(-length)), unknownType: false };
}

/** @param {Uint8Array} payload */
function lengthOf(payload) {
  const length = ((payload.at(-3) ?? 0) << 8) | (payload.at(-2) ?? 0);
  if (length > payload.length) throw new FrameDropped("malformed");
  return length;
}

/**
 * @param {number} length
 * @param {number} minimum
 * @param {number} maximum
 */
function check(length, minimum, maximum) {
  if (length < minimum || length > maximum) throw new FrameDropped("malformed");
}

/**
 * @param {Uint8Array<ArrayBuffer>} octets
 * @returns {FullEKTField}
 */
function readFull(octets) {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const trailer = octets.length - FULL_TRAILER;
  return {
    ciphertext: octets.subarray(0, trailer),
    spi: view.getUint16(trailer),
    epoch: view.getUint16(trailer + 2),
  };
}

/** @param {EKTPlaintext} plaintext */
export function writeEKTPlaintext({ masterKey, ssrc, roc }) {
  return concatenate(uint(masterKey.length, 1), masterKey, uint(ssrc, 4), uint(roc, 4));
}

/**
 * @param {Uint8Array<ArrayBuffer>} octets what authenticated under an EKTKey
 * @returns {EKTPlaintext}
 */
export function readEKTPlaintext(octets) {
  const keyLength = octets[0] ?? 0;
  if (keyLength === 0 || octets.length !== 1 + keyLength + 8)
    throw new FrameDropped("unwrap-failed");
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  return {
    masterKey: octets.slice(1, 1 + keyLength),
    ssrc: view.getUint32(1 + keyLength),
    roc: view.getUint32(5 + keyLength),
  };
}
