/** webrtc-identity's "Verifying Identity Assertions". */

import { checkContents, identityHash } from "./contents.js";
import { identityOf } from "./connection-identity.js";
import { localIdentity } from "./descriptions.js";
import { operationError } from "./errors.js";
import { decodeIdentity, readFingerprints, readIdentity } from "./identity-attribute.js";
import { checkName, isSameName } from "./identity-name.js";
import { IdpProxy } from "./idp-proxy.js";
import { RTCIdentityAssertion } from "./rtc-identity-assertion.js";
import { TIME_LIMIT } from "./time-limit.js";

/** @typedef {import("./contents.js").Purpose} Purpose */

/**
 * Validates the identity assertion of a remote description. The caller settles `peerIdentity`, when the description has
 * been applied too: an identity without the description that it vouches for would mean nothing.
 *
 * @param {RTCPeerConnection} connection
 * @param {{type: string, sdp: string}} description
 * @returns {Promise<RTCIdentityAssertion>}
 */
export function validateIdentity(connection, description) {
  return identityOf(connection).afterPriorValidation(() => validate(connection, description));
}

/**
 * @param {RTCPeerConnection} connection
 * @param {{type: string, sdp: string}} description
 */
async function validate(connection, { type, sdp }) {
  const { binding } = identityOf(connection);
  const value = readIdentity(sdp);
  if (!value) throw operationError("the description has no identity");
  const { idp, assertion } = decodeIdentity(value);
  const purpose = binding && (await purposeOf(connection, binding.conference, type));
  const signal = AbortSignal.timeout(TIME_LIMIT);
  const proxy = await IdpProxy.load(idp.domain, idp.protocol, { signal, onstep: binding?.onstep });
  const { identity, contents } = await proxy.validateAssertion(assertion);
  checkContents(contents, readFingerprints(sdp), purpose);
  const name = checkName(identity, idp.domain);
  // Read now: it may have been established while the IdP was asked.
  const { target } = identityOf(connection);
  if (target !== null && !isSameName(name, target)) {
    throw operationError("the peer is not the one that was expected");
  }
  return new RTCIdentityAssertion(idp.domain, name);
}

/**
 * What the remote assertion must be for, in a conference: an answer answers this connection's own offer.
 *
 * @param {RTCPeerConnection} connection
 * @param {string} conference
 * @param {string} type
 * @returns {Promise<Purpose>}
 */
async function purposeOf(connection, conference, type) {
  if (type === "offer") return { conference, type };
  const own = localIdentity(connection);
  if (!own) throw operationError("the offer had no identity that could be answered");
  return { conference, type: "answer", offer: await identityHash(own) };
}
