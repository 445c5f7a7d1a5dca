/**
 * The contents of an assertion: what the IdP signs (RFC 8827, Section 7.4).
 *
 * The standard binds the fingerprints. Inside a conference of this project they are followed by what keeps an assertion
 * from serving another purpose: the conference, the type of the description, and in an answer the offer that it answers.
 */

import { operationError } from "./errors.js";
import { normalizeFingerprint } from "./identity-attribute.js";

/** @typedef {import("./identity-attribute.js").Fingerprint} Fingerprint */

/** @typedef {{conference: string, type: string, offer?: string}} Purpose `offer` is a hash: see `identityHash` */

/**
 * @param {Fingerprint[]} fingerprints
 * @param {Purpose | null} purpose
 * @returns {string}
 */
export function writeContents(fingerprints, purpose) {
  return JSON.stringify({ fingerprint: fingerprints, ...purpose });
}

/**
 * "validates that it contains a fingerprint value for every a=fingerprint attribute in the session description"
 *
 * @param {string} contents what the IdP proxy confirmed
 * @param {Fingerprint[]} fingerprints those of the SDP
 * @param {Purpose | null} purpose what they have to be for, in a conference
 */
export function checkContents(contents, fingerprints, purpose) {
  const members = parse(contents);
  const asserted = new Set(members.fingerprint.map(normalizeFingerprint).map(spell));
  if (!fingerprints.every((fingerprint) => asserted.has(spell(fingerprint)))) {
    throw operationError("the assertion does not cover a fingerprint of the SDP");
  }
  if (!purpose) return;
  if (!fingerprints.length) throw operationError("the SDP has no fingerprint");
  for (const name of /** @type {const} */ (["conference", "type", "offer"])) {
    if (members[name] !== purpose[name]) {
      throw operationError(`the assertion was made for another ${name}`);
    }
  }
}

/**
 * @param {string} value an offer's a=identity value
 * @returns {Promise<string>} base64url of its SHA-256: how an answer names the offer that it answers
 */
export async function identityHash(value) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(value));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(hash)));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} contents */
function parse(contents) {
  try {
    const members = JSON.parse(contents);
    if (members.fingerprint.every(isFingerprint)) return members;
  } catch {
    // Falls through: whatever is wrong with them, they are not contents.
  }
  throw operationError("the assertion's contents are not contents");
}

/** @param {any} value */
function isFingerprint(value) {
  return typeof value?.algorithm === "string" && typeof value.digest === "string";
}

/** @param {Fingerprint} fingerprint */
function spell({ algorithm, digest }) {
  return `${algorithm} ${digest}`;
}
