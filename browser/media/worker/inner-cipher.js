/**
 * The inner layer's cipher: AES-GCM for SRTP (RFC 7714) under a session key derived by RFC 3711,
 * Section 4.3, on WebCrypto.
 *
 * Key material enters as octets of a master key and leaves as a non-extractable CryptoKey.
 */

import { HEADER_LENGTH, writeSyntheticHeader } from "./original-header.js";
import { FrameDropped } from "./statistics.js";

export const MASTER_SALT_LENGTH = 12;
export const TAG_LENGTH = 16;

const IV_LENGTH = 12;
const LABEL_ENCRYPTION = 0; // RFC 3711, Section 4.3.1
const LABEL_SALT = 2;

/**
 * What identifies one inner packet: everything of its header but the index' upper bits is
 * authenticated, the whole index is in its IV.
 *
 * @typedef {object} InnerHeader
 * @property {number} ssrc
 * @property {number} timestamp
 * @property {number} payloadType
 * @property {boolean} marker
 * @property {number} index ROC · 2^16 + SEQ
 */

/**
 * Seals and opens inner packets under one master key: AEAD_AES_128_GCM or AEAD_AES_256_GCM, by the
 * key's length.
 */
export class InnerCipher {
  #key;
  #salt;

  /**
   * @param {CryptoKey} key
   * @param {Uint8Array} salt
   */
  constructor(key, salt) {
    this.#key = key;
    this.#salt = salt;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} masterKey 16 or 32 octets
   * @param {Uint8Array} masterSalt 12 octets
   */
  static async derive(masterKey, masterSalt) {
    const prf = await crypto.subtle.importKey("raw", masterKey, "AES-CTR", false, ["encrypt"]);
    const sessionKey = await deriveSessionKey(prf, masterSalt, LABEL_ENCRYPTION, masterKey.length);
    const salt = await deriveSessionKey(prf, masterSalt, LABEL_SALT, IV_LENGTH);
    const usages = /** @type {KeyUsage[]} */ (["encrypt", "decrypt"]);
    const key = await crypto.subtle.importKey("raw", sessionKey, "AES-GCM", false, usages);
    return new InnerCipher(key, salt);
  }

  /**
   * Ciphertext with its tag. The caller promises that no two calls under one key have the same SSRC
   * and index.
   *
   * @param {InnerHeader} header
   * @param {Uint8Array} prefix octets in front of the ciphertext that stay readable and are
   *   authenticated
   * @param {BufferSource} plaintext
   */
  async seal(header, prefix, plaintext) {
    return crypto.subtle.encrypt(this.#parameters(header, prefix), this.#key, plaintext);
  }

  /**
   * @param {InnerHeader} header
   * @param {Uint8Array} prefix
   * @param {BufferSource} ciphertext with its tag
   * @throws {FrameDropped} not-authentic
   */
  async open(header, prefix, ciphertext) {
    try {
      return await crypto.subtle.decrypt(this.#parameters(header, prefix), this.#key, ciphertext);
    } catch {
      throw new FrameDropped("not-authentic");
    }
  }

  /**
   * IV: two zero octets ‖ SSRC ‖ ROC ‖ SEQ, exclusive-or the salt (RFC 7714, Section 8.1).
   * Associated data: the header (Section 9.1), here the synthetic one (RFC 8723, Section 5.1), and
   * the prefix.
   *
   * @param {InnerHeader} header
   * @param {Uint8Array} prefix
   */
  #parameters(header, prefix) {
    const sequence = header.index % 0x10000;
    const additionalData = new Uint8Array(HEADER_LENGTH + prefix.length);
    const fields = { payloadType: header.payloadType, sequence, marker: header.marker };
    const view = new DataView(additionalData.buffer);
    writeSyntheticHeader(view, fields, header.timestamp, header.ssrc);
    additionalData.set(prefix, HEADER_LENGTH);
    const iv = new Uint8Array(IV_LENGTH);
    const ivView = new DataView(iv.buffer);
    ivView.setUint32(2, header.ssrc);
    ivView.setUint32(6, Math.floor(header.index / 0x10000));
    ivView.setUint16(10, sequence);
    for (let octet = 0; octet < IV_LENGTH; octet++) {
      iv[octet] = (iv[octet] ?? 0) ^ (this.#salt[octet] ?? 0);
    }
    return { name: "AES-GCM", iv, additionalData, tagLength: TAG_LENGTH * 8 };
  }
}

/**
 * The AES_CM PRF with key derivation rate 0: counter mode over x · 2^16, where x is the 112-bit
 * salt exclusive-or the label, 56 bits from its end. The 96-bit salt of GCM stands on the left of
 * those 112 bits (RFC 7714, Section 11).
 *
 * @param {CryptoKey} prf
 * @param {Uint8Array} masterSalt 12 octets, or 14 outside of GCM
 * @param {number} label
 * @param {number} length
 */
export async function deriveSessionKey(prf, masterSalt, label, length) {
  const counter = new Uint8Array(16);
  counter.set(masterSalt);
  counter[7] = (counter[7] ?? 0) ^ label;
  const ctr = { name: "AES-CTR", counter, length: 16 };
  return new Uint8Array(await crypto.subtle.encrypt(ctr, prf, new Uint8Array(length)));
}
