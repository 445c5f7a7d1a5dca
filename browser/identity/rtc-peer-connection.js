/** What webrtc-identity adds to RTCPeerConnection, and what it changes about it. */

import { identityOf } from "./connection-identity.js";
import { describe, DESCRIPTIONS, rememberDescription } from "./descriptions.js";
import { insertIdentity, readIdentity } from "./identity-attribute.js";
import { isProtocol } from "./idp-uri.js";
import { native } from "./native.js";
import { requestIdentityAssertion } from "./request-assertion.js";
import { validateIdentity } from "./validate-identity.js";
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
    const next = { domain, protocol, options: { protocol, ...rest } };
    // "If any identity provider value has changed, discard any stored identity assertion."
    if (JSON.stringify(next) !== JSON.stringify(identity.provider)) identity.assertions.clear();
    identity.provider = next;
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
    // "If configuration.peerIdentity is set and its value differs from the target peer identity, throw"
    if (peerIdentity !== undefined && peerIdentity !== identity.target) {
      throw new DOMException("The target peer identity cannot change.", "InvalidModificationError");
    }
    native(this, "setConfiguration", withOwnCertificates(this, configuration));
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
 * "Creating an Offer", "Creating an Answer".
 *
 * @param {RTCPeerConnection} connection
 * @param {"offer" | "answer"} type
 * @param {any} [options]
 * @returns {Promise<RTCSessionDescriptionInit>}
 */
function create(connection, type, options) {
  const method = type === "offer" ? "createOffer" : "createAnswer";
  return inTurn(connection, async () => {
    // The provider is part of the system's state now, when it is this operation's turn.
    if (!identityOf(connection).provider) return native(connection, method, options);
    checkState(connection, type);
    const value = await requestIdentityAssertion(connection, type);
    const { sdp } = await native(connection, method, options);
    return { type, sdp: insertIdentity(sdp, value) };
  });
}

/**
 * @param {RTCPeerConnection} connection
 * @param {{type?: string, sdp?: string} | undefined} init
 * @returns {Promise<void>}
 */
function setLocal(connection, init) {
  return inTurn(connection, async () => {
    const description = await completed(connection, init);
    await native(connection, "setLocalDescription", ...(description ? [description] : []));
    if (description?.sdp) rememberDescription(connection, "local", description.sdp);
  });
}

/**
 * With a provider, the description that setLocalDescription makes by itself has an assertion as well.
 *
 * @param {RTCPeerConnection} connection
 * @param {{type?: string, sdp?: string} | undefined} init
 */
async function completed(connection, init) {
  if (!identityOf(connection).provider || init?.sdp || init?.type === "rollback") return init;
  const answers = ["have-remote-offer", "have-local-pranswer"].includes(connection.signalingState);
  const type = init?.type === "offer" || !answers ? "offer" : "answer";
  const value = await requestIdentityAssertion(connection, type);
  const { sdp } = await native(connection, type === "offer" ? "createOffer" : "createAnswer");
  return { type: init?.type ?? type, sdp: insertIdentity(sdp, value) };
}

/**
 * "Setting a Remote Description".
 *
 * @param {RTCPeerConnection} connection
 * @param {{type?: string, sdp?: string} | undefined} init
 * @returns {Promise<void>}
 */
function setRemote(connection, init) {
  const identity = brandCheck(connection);
  const { type = "", sdp = "" } = init ?? {};
  const apply = () => native(connection, "setRemoteDescription", init);
  if (type === "rollback") return inTurn(connection, apply);
  const asserted = mentionsIdentity(sdp);
  return inTurn(connection, async () => {
    // "the identity validation MUST be completed before the promise returned by setRemoteDescription is resolved": and
    // before the browser can connect to anyone, so the description is not applied until then.
    if (identity.target !== null || identity.binding) {
      await settle(
        identity,
        validateIdentity(connection, { type, sdp }).then(applied(connection, sdp, apply)),
      );
      return;
    }
    await apply();
    if (!asserted) return;
    const validation = validateIdentity(connection, { type, sdp }).then(
      applied(connection, sdp, async () => {}),
    );
    settle(identity, validation).catch(() => {}); // "MUST NOT influence whether the promise … is rejected"
  });
}

/**
 * @template T
 * @param {RTCPeerConnection} connection
 * @param {string} sdp
 * @param {() => Promise<void>} apply
 * @returns {(assertion: T) => Promise<T>}
 */
function applied(connection, sdp, apply) {
  return async (assertion) => {
    await apply();
    rememberDescription(connection, "remote", sdp);
    return assertion;
  };
}

/**
 * @param {ConnectionIdentity} identity
 * @param {Promise<import("./rtc-identity-assertion.js").RTCIdentityAssertion>} validation
 */
async function settle(identity, validation) {
  try {
    identity.validated(await validation);
  } catch (error) {
    identity.note(Object(error));
    identity.rejected(error);
    throw error;
  }
}

/**
 * @template T
 * @param {RTCPeerConnection} connection
 * @param {() => Promise<T>} operation
 * @returns {Promise<T>}
 */
function inTurn(connection, operation) {
  const identity = brandCheck(connection);
  return identity.engaged ? identity.chain(operation) : operation();
}

/** @param {string} sdp */
function mentionsIdentity(sdp) {
  try {
    return readIdentity(sdp) !== null;
  } catch {
    return true; // malformed: to be validated, and to fail
  }
}

/**
 * @param {RTCPeerConnection} connection
 * @param {"offer" | "answer"} type
 */
function checkState(connection, type) {
  const fitting =
    type === "offer"
      ? ["stable", "have-local-offer"]
      : ["have-remote-offer", "have-local-pranswer"];
  if (!fitting.includes(connection.signalingState)) {
    throw new DOMException(`No ${type} can be created in this state.`, "InvalidStateError");
  }
}

/** @param {RTCPeerConnection} connection */
function throwIfClosed(connection) {
  if (native(connection, "signalingState") === "closed") {
    throw new DOMException("The connection is closed.", "InvalidStateError");
  }
}

/**
 * @param {any} connection
 * @returns {ConnectionIdentity}
 */
function brandCheck(connection) {
  native(connection, "signalingState");
  return identityOf(connection);
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

/**
 * What is validated and what is applied must be the same strings, whatever the object does when it is read again.
 *
 * @param {unknown} description
 */
function copy(description) {
  if (description === undefined || description === null) return undefined;
  const members = dictionary(description);
  return { type: optionalString(members, "type"), sdp: optionalString(members, "sdp") };
}
