/** An IdP proxy, loaded and asked: webrtc-identity's "Instantiating an IdP Proxy" and what is registered there. */

import { operationError } from "./errors.js";
import { openFrame, rememberAbsence } from "./idp-frame.js";
import { openSandbox } from "./idp-sandbox.js";
import { idpUri } from "./idp-uri.js";
import { TIME_LIMIT, within } from "./time-limit.js";

/** @typedef {import("./idp-realm.js").IdpRealm} IdpRealm */
/** @typedef {import("./identity-attribute.js").AssertionResult} AssertionResult */
/** @typedef {{protocol?: string, usernameHint?: string, peerIdentity?: string}} RTCIdentityProviderOptions */

/**
 * @typedef {object} LoadOptions
 * @property {AbortSignal} [signal] ends loading and everything asked later; takes the place of `timeout`
 * @property {number} [timeout] milliseconds for loading, and for each thing asked later
 * @property {(step: string) => void} [onstep] hears `load`, `loaded`, `sign`, `signed`, `validate`, `validated`
 */

const MAX_ASSERTION = 16 * 1024; // characters: it has to fit into an SDP
const MAX_CONTENTS = 16 * 1024;

/** Milliseconds for which a realm serves further calls: providers change their keys, so not for ever. */
const REUSE_LIMIT = 5 * 60_000;

/** @type {Map<string, {realm: Promise<IdpRealm>, since: number}>} */
const realms = new Map();

export class IdpProxy {
  #realm;
  #options;
  #closed = false;

  /**
   * @param {string} domain
   * @param {string} protocol
   * @param {IdpRealm} realm
   * @param {LoadOptions} options
   */
  constructor(domain, protocol, realm, options) {
    this.domain = domain;
    this.protocol = protocol;
    this.#realm = realm;
    this.#options = options;
  }

  /**
   * @param {string} domain host name and optional port of the identity provider
   * @param {string} [protocol]
   * @param {LoadOptions} [options]
   * @returns {Promise<IdpProxy>} rejects with an RTCError
   */
  static async load(domain, protocol = "default", options = {}) {
    options.onstep?.("load");
    const realm = await within(limit(options), openRealm(idpUri(domain, protocol)));
    options.onstep?.("loaded");
    return new IdpProxy(domain, protocol, realm, options);
  }

  /**
   * @param {string} contents
   * @param {RTCIdentityProviderOptions} [options]
   * @returns {Promise<AssertionResult>}
   */
  async generateAssertion(contents, options = {}) {
    this.#options.onstep?.("sign");
    const result = await this.#ask({ op: "generateAssertion", contents, options });
    const { domain, protocol = "default" } = Object(result?.idp);
    if (!areStrings(domain, protocol) || !isShort(result.assertion, MAX_ASSERTION)) {
      throw this.#malformed("RTCIdentityAssertionResult");
    }
    this.#options.onstep?.("signed");
    return { idp: { domain, protocol }, assertion: result.assertion };
  }

  /**
   * @param {string} assertion
   * @returns {Promise<{identity: string, contents: string}>}
   */
  async validateAssertion(assertion) {
    this.#options.onstep?.("validate");
    const result = await this.#ask({ op: "validateAssertion", assertion });
    if (!isShort(result?.identity, MAX_ASSERTION) || !isShort(result.contents, MAX_CONTENTS)) {
      throw this.#malformed("RTCIdentityValidationResult");
    }
    this.#options.onstep?.("validated");
    return { identity: result.identity, contents: result.contents };
  }

  /** The caller asks no more. The realm stays for a while: a login may be under way in it, or another call follow. */
  close() {
    this.#closed = true;
  }

  /** @param {import("./idp-realm.js").Request} request */
  async #ask(request) {
    if (this.#closed) throw new DOMException("The IdP proxy is closed.", "InvalidStateError");
    try {
      return await within(limit(this.#options), this.#realm.ask(request));
    } catch (error) {
      // A person who is to log in does so with this very realm; any other failure may be the realm's own.
      const { errorDetail } = /** @type {{errorDetail?: string}} */ (Object(error));
      if (errorDetail !== "idp-need-login") this.#realm.usable = false;
      throw error;
    }
  }

  /** @param {string} type */
  #malformed(type) {
    this.#realm.usable = false;
    return operationError(`the IdP proxy did not return an ${type}`);
  }
}

/**
 * @param {URL} uri
 * @returns {Promise<IdpRealm>}
 */
async function openRealm(uri) {
  const known = realms.get(uri.href);
  if (known && (await isReusable(known))) return known.realm;
  known?.realm.then(retire, () => {});
  // A limit of its own: callers who share a realm do not share their patience.
  const signal = AbortSignal.timeout(TIME_LIMIT);
  const realm = openFrame(uri, signal).then((found) => found ?? openScriptAlone(uri, signal));
  realms.set(uri.href, { realm, since: performance.now() });
  realm.catch(() => realms.get(uri.href)?.realm === realm && realms.delete(uri.href));
  return realm;
}

/**
 * @param {URL} uri
 * @param {AbortSignal} signal
 */
async function openScriptAlone(uri, signal) {
  const realm = await openSandbox(uri, signal);
  rememberAbsence(uri);
  return realm;
}

/** @param {IdpRealm} realm closed when whoever still waits for it has waited for long enough */
function retire(realm) {
  setTimeout(() => realm.close(), TIME_LIMIT);
}

/** @param {{realm: Promise<IdpRealm>, since: number}} known */
async function isReusable({ realm, since }) {
  if (performance.now() - since > REUSE_LIMIT) return false;
  return (await realm.catch(() => null))?.usable ?? false;
}

/** @param {LoadOptions} options */
function limit({ signal, timeout = TIME_LIMIT }) {
  return signal ?? AbortSignal.timeout(timeout);
}

/** @param {unknown[]} values */
function areStrings(...values) {
  return values.every((value) => typeof value === "string");
}

/**
 * @param {unknown} value
 * @param {number} length
 */
function isShort(value, length) {
  return typeof value === "string" && value.length <= length;
}
