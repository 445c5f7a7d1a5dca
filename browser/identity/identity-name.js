/** Names of peers: `user@host`, and who may vouch for one (RFC 8827, Section 8.1). */

import { operationError } from "./errors.js";
import { hostOf } from "./idp-uri.js";

const MAX_NAME = 1024; // characters

/**
 * The name with its host in lower case. The IdP is authoritative for the names of its own domain; third-party
 * providers, which RFC 8827 leaves to local policy, are not trusted.
 *
 * @param {string} identity what the IdP proxy returned
 * @param {string} domain the IdP's
 * @returns {string}
 */
export function checkName(identity, domain) {
  const [user, host, ...rest] = identity.split("@");
  // "@" in the user part has to be percent-encoded, so there is exactly one.
  if (!user || !host || rest.length || identity.length > MAX_NAME) {
    throw operationError("the identity is not user@host");
  }
  // A name is shown to people: nothing in it may be invisible, or change how the rest is displayed.
  if (/[\p{C}\p{Z}]/u.test(user)) {
    throw operationError("the identity has characters that cannot be shown");
  }
  if (host.toLowerCase() !== hostOf(domain)) {
    throw operationError("the provider vouched for a name of another domain");
  }
  return `${user}@${host.toLowerCase()}`;
}

/**
 * @param {string} one
 * @param {string} other
 * @returns {boolean} hosts are compared as A-labels, without regard to ASCII case; users exactly
 */
export function isSameName(one, other) {
  return normalize(one) === normalize(other);
}

/** @param {string} name */
function normalize(name) {
  const at = name.lastIndexOf("@");
  return name.slice(0, at + 1) + name.slice(at + 1).toLowerCase();
}
