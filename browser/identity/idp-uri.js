/** Where an IdP proxy is: `https://DOMAIN/.well-known/idp-proxy/PROTOCOL` (RFC 8827, Section 7.5). */

import { idpError } from "./errors.js";

const DIRECTORY = "/.well-known/idp-proxy/";
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const DOMAIN = new RegExp(`^(?<host>${LABEL}(?:\\.${LABEL})*)(?::[1-9][0-9]{0,4})?$`);

/**
 * @param {string} protocol
 * @returns {boolean} "The string MUST NOT include the character '/' or '\'."
 */
export function isProtocol(protocol) {
  return !/[/\\]/.test(protocol);
}

/**
 * @param {string} domain a host name in A-labels, with an optional port
 * @param {string} protocol
 * @returns {URL}
 */
export function idpUri(domain, protocol) {
  const host = DOMAIN.exec(domain)?.groups?.host;
  if (!host) throw idpError("idp-load-failure", "the identity provider's domain is not a domain");
  const uri = `${schemeFor(host)}//${domain}${DIRECTORY}${protocol}`;
  // "." and ".." (in any encoding) would name something else than a protocol.
  if (!isProtocol(protocol) || !URL.canParse(uri) || !isInDirectory(new URL(uri))) {
    throw idpError("idp-load-failure", "the identity provider's protocol is not one");
  }
  return new URL(uri);
}

/**
 * The host in the names that a provider is authoritative for; the port is no part of it (RFC 8827, Section 8.1).
 *
 * @param {string} domain
 */
export function hostOf(domain) {
  return domain.replace(/:\d+$/, "").toLowerCase();
}

/** @param {URL} url */
function isInDirectory({ pathname }) {
  return pathname.startsWith(DIRECTORY) && pathname.length > DIRECTORY.length;
}

/**
 * https; plain http only between pages and providers of this machine, which no network is between.
 *
 * @param {string} host
 */
function schemeFor(host) {
  const local = /(^|\.)localhost$/i.test(host);
  return local && location.protocol === "http:" ? "http:" : "https:";
}
