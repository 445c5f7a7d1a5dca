/**
 * Reader and writer for the presentation language of TLS (RFC 8446, Section 3), with octets named
 * as RFCs name them.
 *
 * Strict: a read past the end and octets left over are errors, never short values.
 */

/** Octets that are not the message they claim to be. */
export class DecodeError extends Error {
  /** @override */
  name = "DecodeError";
}

/** Reads big-endian integers and vectors from octets. */
export class Reader {
  #octets;
  #view;
  #position = 0;

  /** @param {Uint8Array<ArrayBuffer>} octets */
  constructor(octets) {
    this.#octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  }

  get remaining() {
    return this.#octets.length - this.#position;
  }

  /** @param {number} length */
  octets(length) {
    const start = this.#advance(length);
    return this.#octets.slice(start, start + length);
  }

  uint8() {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16() {
    return this.#view.getUint16(this.#advance(2));
  }

  uint24() {
    return this.uint8() * 0x10000 + this.uint16();
  }

  uint32() {
    return this.#view.getUint32(this.#advance(4));
  }

  /** A uint64 that a JavaScript number can hold exactly; larger ones are errors. */
  uint64() {
    const value = this.uint32() * 2 ** 32 + this.uint32();
    if (!Number.isSafeInteger(value)) throw new DecodeError("a uint64 is out of range");
    return value;
  }

  /**
   * A vector `<minimum..maximum>` of opaque octets with its length in front.
   *
   * @param {1 | 2 | 3} lengthOctets
   * @param {number} minimum
   * @param {number} maximum
   */
  opaque(lengthOctets, minimum, maximum) {
    const length = this[LENGTH_READERS[lengthOctets]]();
    if (length < minimum || length > maximum) throw new DecodeError(`a vector of ${length} octets`);
    return this.octets(length);
  }

  /** Nothing may follow what was read. */
  end() {
    if (this.remaining > 0) throw new DecodeError(`${this.remaining} octets left over`);
  }

  /** @param {number} length */
  #advance(length) {
    if (length > this.remaining) throw new DecodeError(`truncated: ${length} octets expected`);
    const start = this.#position;
    this.#position += length;
    return start;
  }
}

const LENGTH_READERS = /** @type {const} */ ({ 1: "uint8", 2: "uint16", 3: "uint24" });

/**
 * The octets of a big-endian unsigned integer.
 *
 * @param {number} value
 * @param {1 | 2 | 3 | 4 | 8} length
 */
export function uint(value, length) {
  const octets = new Uint8Array(length);
  for (let position = length - 1, rest = value; position >= 0; position--) {
    octets[position] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return octets;
}

/** @param {Uint8Array[]} parts */
export function concatenate(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

/**
 * @param {1 | 2 | 3} lengthOctets
 * @param {Uint8Array} content
 */
export function vector(lengthOctets, content) {
  return concatenate(uint(content.length, lengthOctets), content);
}

/**
 * Whether two octet strings are equal. For public values only: it stops at the first difference.
 *
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 */
export function equal(left, right) {
  return left.length === right.length && left.every((octet, position) => octet === right[position]);
}

/** @param {Uint8Array} octets */
export function hexadecimal(octets) {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}
