/**
 * AES Key Wrap with Padding (RFC 5649), the EKT cipher of RFC 8870, Section 4.4.1, under a key that
 * no script can read.
 *
 * WebCrypto wraps by RFC 3394 only, which takes no padding. The algorithm is built here from
 * single AES blocks, and those from AES-CBC: no AES in JavaScript, and the EKTKey stays a
 * non-extractable CryptoKey. Plaintexts of one semiblock, which RFC 5649 treats apart, do not
 * occur: an EKTPlaintext has at least ten octets.
 */

import { concatenate, uint } from "./wire.js";

const SEMIBLOCK = 8;
const BLOCK = 16;
const ROUNDS = 6;
const ZERO_BLOCK = new Uint8Array(BLOCK);
const AIV_PREFIX = new Uint8Array([0xa6, 0x59, 0x59, 0xa6]); // RFC 5649, Section 3

/** A ciphertext that was not made with this key; its octets mean nothing. */
export class UnwrapFailed extends Error {
  /** @override */
  name = "UnwrapFailed";
}

/** Wraps and unwraps under one EKTKey. */
export class KeyWrap {
  #key;

  /** @param {CryptoKey} key */
  constructor(key) {
    this.#key = key;
  }

  /** @param {Uint8Array<ArrayBuffer>} octets 16 or 32 of them */
  static async import(octets) {
    const usages = /** @type {KeyUsage[]} */ (["encrypt", "decrypt"]);
    return new KeyWrap(await crypto.subtle.importKey("raw", octets, "AES-CBC", false, usages));
  }

  /** @param {Uint8Array} plaintext more than one semiblock */
  async wrap(plaintext) {
    const padded = new Uint8Array(Math.ceil(plaintext.length / SEMIBLOCK) * SEMIBLOCK);
    padded.set(plaintext);
    const semiblocks = padded.length / SEMIBLOCK;
    const registers = concatenate(AIV_PREFIX, uint(plaintext.length, 4), padded);
    const block = new Uint8Array(BLOCK);
    block.set(registers.subarray(0, SEMIBLOCK));
    for (let step = 1; step <= ROUNDS * semiblocks; step++) {
      const register = (((step - 1) % semiblocks) + 1) * SEMIBLOCK;
      block.set(registers.subarray(register, register + SEMIBLOCK), SEMIBLOCK);
      block.set(await this.#encipher(block));
      registers.set(block.subarray(SEMIBLOCK), register);
      addStep(block, step);
    }
    registers.set(block.subarray(0, SEMIBLOCK));
    return registers;
  }

  /**
   * @param {Uint8Array} ciphertext
   * @throws {UnwrapFailed}
   */
  async unwrap(ciphertext) {
    if (ciphertext.length < 3 * SEMIBLOCK || ciphertext.length % SEMIBLOCK !== 0) {
      throw new UnwrapFailed("the length is not one that wrapping yields");
    }
    const semiblocks = ciphertext.length / SEMIBLOCK - 1;
    const registers = ciphertext.slice();
    const block = new Uint8Array(BLOCK);
    block.set(registers.subarray(0, SEMIBLOCK));
    for (let step = ROUNDS * semiblocks; step >= 1; step--) {
      const register = (((step - 1) % semiblocks) + 1) * SEMIBLOCK;
      addStep(block, step);
      block.set(registers.subarray(register, register + SEMIBLOCK), SEMIBLOCK);
      block.set(await this.#decipher(block));
      registers.set(block.subarray(SEMIBLOCK), register);
    }
    registers.set(block.subarray(0, SEMIBLOCK));
    return checkedPlaintext(registers);
  }

  /**
   * One AES block: the first of CBC with a zero initialization vector.
   *
   * @param {Uint8Array<ArrayBuffer>} block
   */
  async #encipher(block) {
    const cbc = { name: "AES-CBC", iv: ZERO_BLOCK };
    return new Uint8Array(await crypto.subtle.encrypt(cbc, this.#key, block), 0, BLOCK);
  }

  /**
   * One AES block backwards. CBC insists on valid padding after it: an empty message enciphered
   * with this block as its initialization vector is just the padding block that belongs behind it.
   *
   * @param {Uint8Array<ArrayBuffer>} block
   */
  async #decipher(block) {
    const chained = { name: "AES-CBC", iv: block };
    const padding = await crypto.subtle.encrypt(chained, this.#key, new Uint8Array(0));
    const both = concatenate(block, new Uint8Array(padding));
    const cbc = { name: "AES-CBC", iv: ZERO_BLOCK };
    return new Uint8Array(await crypto.subtle.decrypt(cbc, this.#key, both));
  }
}

/**
 * A = MSB(64, B) ^ t; a 16-bit t is enough for the 251 octets of an EKTCiphertext.
 *
 * @param {Uint8Array} block
 * @param {number} step
 */
function addStep(block, step) {
  block[6] = (block[6] ?? 0) ^ (step >> 8);
  block[7] = (block[7] ?? 0) ^ (step & 0xff);
}

/**
 * Checks the Alternative Initial Value, the length and the padding (RFC 5649, Section 3), every
 * part whether or not another has failed.
 *
 * @param {Uint8Array<ArrayBuffer>} registers
 */
function checkedPlaintext(registers) {
  const view = new DataView(registers.buffer);
  const length = view.getUint32(4);
  const padded = registers.subarray(SEMIBLOCK);
  let difference = view.getUint32(0) ^ 0xa65959a6;
  if (length > padded.length || length <= padded.length - SEMIBLOCK) difference |= 1;
  for (const octet of padded.subarray(Math.min(length, padded.length))) difference |= octet;
  if (difference !== 0) throw new UnwrapFailed("the ciphertext does not authenticate");
  return padded.slice(0, length);
}
