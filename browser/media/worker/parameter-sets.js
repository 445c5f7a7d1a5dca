/**
 * EKT parameter sets by SPI: the EKTKey, its salt and how long it may be used (RFC 8870, Section
 * 4.2).
 */

import { MASTER_SALT_LENGTH } from "./inner-cipher.js";
import { KeyWrap } from "./key-wrap.js";
import { DecodeError, equal } from "./wire.js";

/**
 * How long, in milliseconds, an EKTKey is still accepted after a newer one has come: for members
 * that the newer one reaches later. Until then somebody who has left could still pass for another
 * member, with the Media Distributor's help.
 */
const RETIREMENT = 10_000;

/**
 * "its use with those key sizes is indicated as AESKW128, or AESKW256" (RFC 8870, Section 4.4.1)
 */
const EKT_KEY_LENGTHS = [16, 32];

/** T of AESKW: "The EKTKey MUST NOT be used for encryption more that T times." */
const MAXIMUM_USES = 2 ** 48;

/** One EKTKey and what belongs to it. */
export class ParameterSet {
  #uses = 0;

  /**
   * @param {{ spi: number, salt: Uint8Array, masterKeyLength: number }} parameters the salt is the
   *   SRTP master salt; master keys have as many octets as the EKTKey, so that neither is the
   *   weaker one
   * @param {KeyWrap} wrap
   * @param {{ installedAt: number, expiresAt: number }} lifetime milliseconds of the monotonic
   *   clock
   */
  constructor({ spi, salt, masterKeyLength }, wrap, { installedAt, expiresAt }) {
    this.spi = spi;
    this.salt = salt;
    this.masterKeyLength = masterKeyLength;
    this.keyWrap = wrap;
    this.installedAt = installedAt;
    this.expiresAt = expiresAt;
  }

  /**
   * EKTCiphertext of an EKTPlaintext. "if the same FullEKTField is retransmitted 3 times, that only
   * counts as 1 encryption": callers keep it.
   *
   * @param {Uint8Array} plaintext
   */
  async encrypt(plaintext) {
    if (this.#uses >= MAXIMUM_USES) throw new RangeError("the EKTKey is used up");
    this.#uses++;
    return this.keyWrap.wrap(plaintext);
  }

  /** @param {Uint8Array} ciphertext */
  async decrypt(ciphertext) {
    return this.keyWrap.unwrap(ciphertext);
  }
}

/** Every EKTKey that this endpoint may use now. */
export class ParameterSets {
  /** @type {Map<number, ParameterSet>} */
  #bySpi = new Map();
  /** @type {ParameterSet | null} */
  newest = null;

  /**
   * Installs the content of an `ekt_key` message; the same again changes nothing.
   *
   * @param {import("./key-channel-messages.js").EktKey} message
   * @param {number} now
   * @throws {DecodeError} a length that no EKT cipher has
   */
  async install({ key, salt, spi, ttl }, now) {
    if (!EKT_KEY_LENGTHS.includes(key.length)) throw new DecodeError("no EKT cipher has this key");
    if (salt.length < MASTER_SALT_LENGTH) throw new DecodeError("the master salt is too short");
    // RFC 8870, Section 4.3.2, step 4: a salt that is longer than needed "is truncated by taking
    // the first N bytes".
    const masterSalt = salt.slice(0, MASTER_SALT_LENGTH);
    const lifetime = { installedAt: now, expiresAt: now + ttl * 1000 };
    const parameters = { spi, salt: masterSalt, masterKeyLength: key.length };
    const set = new ParameterSet(parameters, await KeyWrap.import(key), lifetime);
    const known = this.find(spi, now);
    if (known !== null) {
      // "Each distinct EKT parameter set that is used MUST be associated with a distinct SPI value"
      if (await isSame(known, set)) return;
      throw new DecodeError("an SPI was given a second key");
    }
    if (this.newest !== null) {
      this.newest.expiresAt = Math.min(this.newest.expiresAt, now + RETIREMENT);
    }
    this.#bySpi.set(spi, set);
    this.newest = set;
  }

  /**
   * The set that senders use, or why there is none.
   *
   * @param {number} now
   * @returns {ParameterSet | "no-key" | "expired"}
   */
  outbound(now) {
    if (this.newest === null) return "no-key";
    // "the EKTKey MUST NOT be used beyond the lifetime provided by the TTL" (RFC 8870, Section 6)
    return now < this.newest.expiresAt ? this.newest : "expired";
  }

  /**
   * @param {number} spi
   * @param {number} now
   */
  find(spi, now) {
    const set = this.#bySpi.get(spi);
    if (set === undefined) return null;
    if (now < set.expiresAt) return set;
    this.#bySpi.delete(spi);
    return null;
  }

  /** The SPIs of all EKTKeys that are installed, expired ones included. */
  get spis() {
    return [...this.#bySpi.keys()];
  }

  /**
   * Uses an EKTKey no longer.
   *
   * @param {number} spi
   */
  forget(spi) {
    this.#bySpi.delete(spi);
    if (this.newest?.spi === spi) this.newest = null;
  }

  /**
   * Whether a set may still be used. An SPI may be another's by then: they come again in the end.
   *
   * @param {ParameterSet} set
   * @param {number} now
   */
  has(set, now) {
    return this.find(set.spi, now) === set;
  }

  clear() {
    this.#bySpi.clear();
    this.newest = null;
  }
}

/**
 * Whether two sets have the same salt and key; the keys themselves cannot be read, but what they
 * wrap can be compared.
 *
 * @param {ParameterSet} left
 * @param {ParameterSet} right
 */
async function isSame(left, right) {
  const probe = new Uint8Array(16);
  return (
    equal(left.salt, right.salt) && equal(await left.encrypt(probe), await right.encrypt(probe))
  );
}
