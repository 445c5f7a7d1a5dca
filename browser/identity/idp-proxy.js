/** An IdP proxy, loaded and asked: webrtc-identity's "Instantiating an IdP Proxy" and what is registered there. */

import { operationError } from "./errors.js";
import { ask, load } from "./idp-realms.js";
import { idpUri } from "./idp-uri.js";
import { TIME_LIMIT } from "./time-limit.js";

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

export class IdpProxy {
  #uri;
  #options;
  #closed = false;

  /**
   * @param {string} domain
   * @param {string} protocol
   * @param {LoadOptions} options
   */
  constructor(domain, protocol, options) {
    this.domain = domain;
    this.protocol = protocol;
    this.#uri = idpUri(domain, protocol);
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
    const proxy = new IdpProxy(domain, protocol, options);
    await load(proxy.#uri, limit(options));
    options.onstep?.("loaded");
    return proxy;
  }

  /**
   * @param {string} contents
   * @param {RTCIdentityProviderOptions} [options]
   * @returns {Promise<AssertionResult>}
   */
  async generateAssertion(contents, options = {}) {
    this.#options.onstep?.("sign");
    const request = /** @type {const} */ ({ op: "generateAssertion", contents, options });
    const assertion = await this.#ask(request, readAssertion);
    this.#options.onstep?.("signed");
    return assertion;
  }

  /**
   * @param {string} assertion
   * @returns {Promise<{identity: string, contents: string}>}
   */
  async validateAssertion(assertion) {
    this.#options.onstep?.("validate");
    const request = /** @type {const} */ ({ op: "validateAssertion", assertion });
    const validation = await this.#ask(request, readValidation);
    this.#options.onstep?.("validated");
    return validation;
  }

  /** The caller asks no more. The realm stays for a while: a login may be under way in it, or another call follow. */
  close() {
    this.#closed = true;
  }

  /**
   * @template T
   * @param {import("./idp-realm.js").Request} request
   * @param {(result: any) => T} read
   * @returns {Promise<T>}
   */
  async #ask(request, read) {
    if (this.#closed) throw new DOMException("The IdP proxy is closed.", "InvalidStateError");
    return ask(this.#uri, limit(this.#options), request, read);
  }
}

/**
 * @param {any} result
 * @returns {AssertionResult}
 */
function readAssertion(result) {
  const { domain, protocol = "default" } = Object(result?.idp);
  if (!areStrings(domain, protocol) || !isShort(result.assertion, MAX_ASSERTION)) {
    throw malformed("RTCIdentityAssertionResult");
  }
  return { idp: { domain, protocol }, assertion: result.assertion };
}

/**
 * @param {any} result
 * @returns {{identity: string, contents: string}}
 */
function readValidation(result) {
  if (!isShort(result?.identity, MAX_ASSERTION) || !isShort(result.contents, MAX_CONTENTS)) {
    throw malformed("RTCIdentityValidationResult");
  }
  return { identity: result.identity, contents: result.contents };
}

/** @param {string} type */
function malformed(type) {
  return operationError(`the IdP proxy did not return an ${type}`);
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
