/** What of identity stands in an SDP: `a=identity` (RFC 8827, Section 5) and `a=fingerprint` (RFC 8122). */

import { operationError } from "./errors.js";
import { isProtocol } from "./idp-uri.js";

const MAX_IDENTITY = 24 * 1024; // characters: as much as the Key Distributor takes

/** @typedef {{algorithm: string, digest: string}} Fingerprint */
/** @typedef {{idp: {domain: string, protocol: string}, assertion: string}} AssertionResult */

/**
 * @param {string} sdp
 * @returns {string | null} the value of `a=identity`
 */
export function readIdentity(sdp) {
  const [session, ...media] = sdp.split(/^m=/m);
  const values = attributes(session, "identity");
  if (values.length > 1 || media.some((section) => attributes(section, "identity").length)) {
    throw invalid("a=identity stands once, at session level");
  }
  return values[0] ?? null;
}

/**
 * @param {string} sdp
 * @param {string} value
 * @returns {string} the SDP with `a=identity` at the end of its session level
 */
export function insertIdentity(sdp, value) {
  const media = sdp.search(/^m=/m);
  const at = media === -1 ? sdp.length : media;
  return `${sdp.slice(0, at)}a=identity:${value}\r\n${sdp.slice(at)}`;
}

/**
 * @param {string} sdp
 * @returns {Fingerprint[]} of both levels
 */
export function readFingerprints(sdp) {
  return attributes(sdp, "fingerprint").map((value) => {
    const [algorithm, digest, ...rest] = value.trim().split(/ +/);
    if (!digest || rest.length) throw invalid("a malformed a=fingerprint");
    return normalizeFingerprint({ algorithm, digest });
  });
}

/**
 * @param {Fingerprint} fingerprint
 * @returns {Fingerprint} spelled so that equal ones are equal strings
 */
export function normalizeFingerprint({ algorithm, digest }) {
  return { algorithm: algorithm.toLowerCase(), digest: digest.toUpperCase() };
}

/**
 * @param {string} sdp
 * @returns {string} the o= line, which names one description of one session
 */
export function originLine(sdp) {
  return /^o=.*$/m.exec(sdp)?.[0].trimEnd() ?? "";
}

/**
 * "The assertion is converted to a JSON string, base64-encoded and inserted into an a=identity attribute."
 *
 * @param {AssertionResult} result
 * @returns {string}
 */
export function encodeIdentity({ idp: { domain, protocol }, assertion }) {
  const octets = new TextEncoder().encode(JSON.stringify({ idp: { domain, protocol }, assertion }));
  return btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(""));
}

/**
 * @param {string} value
 * @returns {AssertionResult}
 */
export function decodeIdentity(value) {
  if (value.length > MAX_IDENTITY) throw invalid("a=identity is too long");
  const result = parse(value);
  const { domain, protocol = "default" } = Object(result?.idp);
  const assertion = result?.assertion;
  if ([domain, protocol, assertion].some((member) => typeof member !== "string")) {
    throw invalid("a=identity names no provider or has no assertion");
  }
  if (!isProtocol(protocol)) throw invalid("a protocol has no '/' and no '\\'");
  return { idp: { domain, protocol }, assertion };
}

/** @param {string} value */
function parse(value) {
  const [base64] = value.split(" "); // extensions may follow; none are known here
  try {
    const octets = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(octets));
  } catch {
    throw invalid("a=identity is not JSON in base64");
  }
}

/**
 * @param {string} text
 * @param {string} name
 * @returns {string[]}
 */
function attributes(text, name) {
  const prefix = `a=${name}:`;
  // What ends a line for any reader must end it for this one.
  const lines = text.split(/[\r\n]+/);
  return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}

/** @param {string} message */
function invalid(message) {
  return operationError(`the description’s identity: ${message}`);
}
