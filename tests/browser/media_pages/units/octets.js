/** Octet strings of the vectors. */

import { readFileSync } from "node:fs";

/** @param {string} hex */
export function octets(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** @param {ArrayBuffer | Uint8Array} data */
export function hex(data) {
  return Buffer.from(data).toString("hex");
}

/** @param {string} path within tests/vectors */
export function vectors(path) {
  return JSON.parse(readFileSync(new URL(`../../../vectors/${path}`, import.meta.url), "utf8"));
}

/** An `ekt_key` message of the vectors. */
export function ektKey({ key, salt, spi, ttl }) {
  return { type: "ekt_key", key: octets(key), salt: octets(salt), spi, ttl };
}
