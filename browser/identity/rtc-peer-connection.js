/** What webrtc-identity adds to RTCPeerConnection, and what it changes about it. */

import { identityOf } from "./connection-identity.js";
import { create } from "./create-description.js";
import { describe, DESCRIPTIONS } from "./descriptions.js";
import { isProtocol } from "./idp-uri.js";
import { native } from "./native.js";
import { brandCheck, inTurn, throwIfClosed } from "./operations.js";
import { requestIdentityAssertion } from "./request-assertion.js";
import { copy, setLocal, setRemote } from "./set-description.js";
import { dictionary, optionalString, withLegacyCallbacks } from "./webidl.js";

/** @typedef {import("./connection-identity.js").ConnectionIdentity} ConnectionIdentity */

/** The members that are new; on the prototype, `this` is an RTCPeerConnection. */
export const extensions = {
  /**
   * @this {RTCPeerConnection}
   * @param {string} provider
   * @param {unknown} [options] an RTCIdentityProviderOptions
   */
  setIdentityProvider(provider, options = undefined) {
    if (!arguments.length) throw new TypeError("1 argument required, but only 0 present.");
    const identity = brandCheck(this);
    const domain = `${provider}`;
    const { protocol = "default", ...rest } = providerOptions(options);
    throwIfClosed(this);
    if (!isProtocol(protocol))
      throw new DOMException("A protocol has no '/' or '\\'.", "SyntaxError");
    identity.provider = { domain, protocol, options: { protocol, ...rest } };
  },

  /**
   * @this {RTCPeerConnection}
   * @returns {Promise<string>}
   */
  async getIdentityAssertion() {
    brandCheck(this);
    throwIfClosed(this);
    return requestIdentityAssertion(this, null);
  },

  /** @returns {Promise<import("./rtc-identity-assertion.js").RTCIdentityAssertion>} */
  get peerIdentity() {
    return promiseAttribute(this, (identity) => identity.peerIdentity);
  },

  get idpLoginUrl() {
    return brandCheck(this).loginUrl;
  },

  get idpErrorInfo() {
    return brandCheck(this).errorInfo;
  },
};

/** The members that are there and change; each leaves the browser alone where identity plays no part. */
export const changes = {
  /**
   * @this {RTCPeerConnection}
   * @param {...any} args
   */
  createOffer(...args) {
    return withLegacyCallbacks(args, (options) => create(this, "offer", options));
  },

  /**
   * @this {RTCPeerConnection}
   * @param {...any} args
   */
  createAnswer(...args) {
    return withLegacyCallbacks(args, (options) => create(this, "answer", options));
  },

  /**
   * @this {RTCPeerConnection}
   * @param {any} [description]
   * @param {...any} callbacks
   */
  setLocalDescription(description = undefined, ...callbacks) {
    const init = copy(description);
    return withLegacyCallbacks(callbacks, () => setLocal(this, init));
  },

  /**
   * @this {RTCPeerConnection}
   * @param {any} description
   * @param {...any} callbacks
   */
  setRemoteDescription(description, ...callbacks) {
    if (!arguments.length) return native(this, "setRemoteDescription");
    const init = copy(description);
    return withLegacyCallbacks(callbacks, () => setRemote(this, init));
  },

  /**
   * @this {RTCPeerConnection}
   * @param {any} [candidate]
   * @param {...any} callbacks
   */
  addIceCandidate(candidate = undefined, ...callbacks) {
    return withLegacyCallbacks(callbacks, () =>
      inTurn(this, () => native(this, "addIceCandidate", candidate)),
    );
  },

  /**
   * @this {RTCPeerConnection}
   * @param {any} [configuration]
   */
  setConfiguration(configuration = undefined) {
    const identity = brandCheck(this);
    const peerIdentity = optionalString(dictionary(configuration), "peerIdentity");
    throwIfClosed(this);
    // "If configuration.peerIdentity is set and its value differs from the target peer identity, throw"
    if (peerIdentity !== undefined && peerIdentity !== identity.target) {
      throw new DOMException("The target peer identity cannot change.", "InvalidModificationError");
    }
    native(this, "setConfiguration", withOwnCertificates(this, configuration));
    identity.configured = peerIdentity;
  },

  /** @this {RTCPeerConnection} */
  getConfiguration() {
    const configuration = native(this, "getConfiguration");
    const { configured } = identityOf(this);
    return configured === undefined
      ? configuration
      : { ...configuration, peerIdentity: configured };
  },
};

/** The descriptions as attributes. @type {Record<string, PropertyDescriptor>} */
export const descriptions = Object.fromEntries(DESCRIPTIONS.map((name) => [name, attribute(name)]));

/** @param {typeof DESCRIPTIONS[number]} name @returns {PropertyDescriptor} */
function attribute(name) {
  const named = {
    /** @returns {RTCSessionDescription | null} */
    get [name]() {
      return describe(/** @type {any} */ (this), name);
    },
  };
  return { get: Object.getOwnPropertyDescriptor(named, name)?.get };
}

/**
 * Chromium takes a configuration without certificates for an attempt to take away those of the constructor, where the
 * shim may have put one.
 *
 * @param {RTCPeerConnection} connection
 * @param {any} configuration
 */
function withOwnCertificates(connection, configuration) {
  const { certificates } = native(connection, "getConfiguration");
  if (configuration?.certificates || !certificates?.length) return configuration;
  return Object.create(configuration ?? null, {
    certificates: { value: certificates, enumerable: true },
  });
}

/**
 * Web IDL: an attribute whose type is a promise rejects instead of throwing.
 *
 * @template T
 * @param {any} connection
 * @param {(identity: ConnectionIdentity) => Promise<T>} read
 * @returns {Promise<T>}
 */
function promiseAttribute(connection, read) {
  try {
    return read(brandCheck(connection));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** @param {unknown} options an RTCIdentityProviderOptions */
function providerOptions(options) {
  const members = dictionary(options);
  /** @type {import("./idp-proxy.js").RTCIdentityProviderOptions} */
  const read = {};
  for (const name of /** @type {const} */ (["peerIdentity", "protocol", "usernameHint"])) {
    const value = optionalString(members, name);
    if (value !== undefined) read[name] = value;
  }
  return read;
}
