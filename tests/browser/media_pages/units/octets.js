/** Octet strings of the vectors, in Node and in a browser. */

/** @param {string} hex */
export function octets(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** @param {ArrayBuffer | Uint8Array} data */
export function hex(data) {
  return Array.from(new Uint8Array(data), (octet) => octet.toString(16).padStart(2, "0")).join("");
}

/** An `ekt_key` message of the vectors. */
export function ektKey({ key, salt, spi, ttl }) {
  return { type: "ekt_key", key: octets(key), salt: octets(salt), spi, ttl };
}
