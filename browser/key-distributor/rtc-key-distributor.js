/**
 * `RTCKeyDistributor` as draft-roach-perc-webrtc-00 has it in its Section 5, and nothing else; what this project
 * proposes beside it is in `proposed.js`.
 *
 * Decisions where the draft is silent:
 * - The constructor takes a configuration: it stands in for what a browser would know (`agent.js`).
 * - `mdPort` is converted as with [EnforceRange]: 65979 is a TypeError, not port 443.
 * - Methods that return promises reject, with what the others throw; so does a call after `close()`.
 */

import { dictionary, optionalString } from "../identity/webidl.js";
import { KeyDistributorAgent } from "./agent.js";
import {
  checkArguments,
  eventHandler,
  finishInterface,
  Implementations,
  toDOMString,
  toUnsignedShort,
} from "./webidl.js";

/** @typedef {{protocol?: string, usernameHint?: string, peerIdentity?: string}} RTCIdentityProviderOptions */

/** @type {Implementations<KeyDistributorAgent>} */
export const agents = new Implementations();

export class RTCKeyDistributor extends EventTarget {
  /** @param {Partial<import("./agent.js").Configuration>} [configuration] */
  constructor(configuration) {
    super();
    const dispatch = (/** @type {Event} */ event) => void this.dispatchEvent(event);
    agents.set(this, new KeyDistributorAgent(toConfiguration(configuration), dispatch));
  }

  /**
   * Names the identity provider that signs answers for this Key Distributor.
   *
   * @param {string} provider a domain, with a port where it is not 443
   * @param {RTCIdentityProviderOptions} [options]
   */
  setIdentityProvider(provider, options = undefined) {
    const agent = agents.of(this);
    checkArguments(arguments.length, 1);
    const domain = toDOMString(provider);
    const members = dictionary(options);
    const peerIdentity = optionalString(members, "peerIdentity");
    const protocol = optionalString(members, "protocol") ?? "default";
    const usernameHint = optionalString(members, "usernameHint");
    checkOpen(agent);
    // webrtc-identity, Section 5.2: "If options.protocol includes the character '/' or '\', throw a SyntaxError."
    if (/[/\\]/.test(protocol)) {
      throw new DOMException("a protocol has no '/' and no '\\'", "SyntaxError");
    }
    agent.identity.provider = { provider: domain, protocol, usernameHint, peerIdentity };
  }

  /**
   * An assertion of the certificate alone, as RTCPeerConnection's: it is bound to no conference, so none accepts
   * it. It shows that the identity provider can be reached and the user is signed in.
   *
   * @returns {Promise<string>} an a=identity value
   */
  async getIdentityAssertion() {
    const agent = agents.of(this);
    checkOpen(agent);
    const certificate = await agent.certificate;
    const fingerprint = certificate
      .getFingerprints()
      .map(({ algorithm, value }) => ({ algorithm, digest: value?.toUpperCase() }));
    const result = await agent.identity.requestAssertion(JSON.stringify({ fingerprint }));
    const { domain, protocol, assertion } = result;
    return encodeBase64(JSON.stringify({ idp: { domain, protocol }, assertion }));
  }

  /**
   * The first peer that is validated.
   *
   * @returns {Promise<import("../identity/peer-identity.js").RTCIdentityAssertion>}
   */
  get peerIdentity() {
    try {
      return agents.of(this).peerIdentity.promise;
    } catch (error) {
      return Promise.reject(error); // an attribute of a promise type does not throw
    }
  }

  /** Where the user can sign in, after an assertion failed for want of that. */
  get idpLoginUrl() {
    return agents.of(this).identity.errors.loginUrl;
  }

  /** What the identity provider said about the error. */
  get idpErrorInfo() {
    return agents.of(this).identity.errors.info;
  }

  /**
   * The certificate that this object made when it was constructed.
   *
   * @returns {Promise<import("./certificate.js").KeyDistributorCertificate>} in the shape of an RTCCertificate
   */
  async getCertificate() {
    return agents.of(this).certificate;
  }

  /**
   * Connects to a Media Distributor, which must have a certificate for `mdHost` that chains to a trust anchor.
   *
   * Rejects with a SecurityError for such a certificate, with a NetworkError where the bridge or the Media
   * Distributor refuses, with an InvalidStateError while there is a connection.
   *
   * @param {string} mdHost
   * @param {number} mdPort
   * @returns {Promise<void>} when the Media Distributor supports a profile of this Key Distributor
   */
  async connect(mdHost, mdPort) {
    const agent = agents.of(this);
    checkArguments(arguments.length, 2);
    const host = toDOMString(mdHost);
    const port = toUnsignedShort(mdPort);
    checkOpen(agent);
    await agent.connect(host, port);
  }
}

finishInterface(RTCKeyDistributor);
Object.defineProperty(
  RTCKeyDistributor.prototype,
  "onfingerprintfailure",
  eventHandler("fingerprintfailure"),
);
Object.defineProperty(globalThis, "RTCKeyDistributor", {
  configurable: true,
  writable: true,
  value: RTCKeyDistributor,
});

/** @param {KeyDistributorAgent} agent */
export function checkOpen(agent) {
  if (agent.closed) throw new DOMException("the Key Distributor was closed", "InvalidStateError");
}

/**
 * @param {unknown} value
 * @returns {import("./agent.js").Configuration}
 */
function toConfiguration(value) {
  const members = dictionary(value);
  const bridge = new URL(optionalString(members, "bridge") ?? "/perc/tunnel", location.href);
  bridge.protocol = bridge.protocol.replace(/^http/, "ws");
  const conference = optionalString(members, "conference");
  const anchors = optionalString(members, "trustAnchors") ?? "/trust-anchors.pem";
  return {
    bridge: bridge.href,
    conference: conference ?? location.origin + location.pathname,
    trustAnchors: new URL(anchors, location.href).href,
  };
}

/** @param {string} text */
function encodeBase64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
