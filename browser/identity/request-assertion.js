/** webrtc-identity's "Requesting Identity Assertions". */

import { identityHash, writeContents } from "./contents.js";
import { identityOf } from "./connection-identity.js";
import { encodeIdentity, normalizeFingerprint, readFingerprints } from "./identity-attribute.js";
import { IdpProxy } from "./idp-proxy.js";
import { native } from "./native.js";
import { TIME_LIMIT } from "./time-limit.js";
import { remoteIdentity } from "./descriptions.js";

/** @typedef {import("./connection-identity.js").ConnectionIdentity} ConnectionIdentity */
/** @typedef {import("./contents.js").Purpose} Purpose */

/**
 * The identity assertion request process. "The RTCPeerConnection MAY store the identity assertion for use with future
 * offers or answers": it does, and a request that has already begun is joined.
 *
 * @param {RTCPeerConnection} connection
 * @param {"offer" | "answer" | null} type of the description that it is for; null if it is for none
 * @returns {Promise<string>} the a=identity value
 */
export async function requestIdentityAssertion(connection, type) {
  const identity = identityOf(connection);
  const purpose = type && identity.binding && (await purposeOf(connection, type));
  const contents = writeContents(await localFingerprints(connection, type ?? "offer"), purpose);
  const { assertions } = identity;
  const stored = assertions.get(contents);
  if (stored) return stored;
  const requested = generate(identity, contents);
  assertions.set(contents, requested);
  requested.catch(() => assertions.delete(contents));
  return requested;
}

/**
 * @param {ConnectionIdentity} identity
 * @param {string} contents
 */
async function generate(identity, contents) {
  const { provider, binding, assertions } = identity;
  if (!provider) throw new DOMException("No identity provider is set.", "InvalidStateError");
  identity.note({});
  try {
    const signal = AbortSignal.timeout(TIME_LIMIT);
    const options = { signal, onstep: binding?.onstep };
    const proxy = await IdpProxy.load(provider.domain, provider.protocol, options);
    return encodeIdentity(await proxy.generateAssertion(contents, optionsOf(identity, provider)));
  } catch (error) {
    // Of a provider that was replaced meanwhile nobody wants to know where to log in.
    if (identity.assertions === assertions) identity.note(Object(error));
    throw error;
  }
}

/**
 * "If this value is omitted, but a value is provided for the peerIdentity member of RTCConfiguration, the value from
 * RTCConfiguration is used."
 *
 * @param {ConnectionIdentity} identity
 * @param {import("./connection-identity.js").IdentityProvider} provider
 */
function optionsOf({ configured }, { options }) {
  return configured === undefined ? options : { peerIdentity: configured, ...options };
}

/**
 * What an assertion of a conference says besides the fingerprints.
 *
 * @param {RTCPeerConnection} connection
 * @param {"offer" | "answer"} type
 * @returns {Promise<Purpose>}
 */
async function purposeOf(connection, type) {
  const conference = identityOf(connection).binding?.conference ?? "";
  if (type === "offer") return { conference, type };
  const offer = remoteIdentity(connection);
  if (!offer) throw new DOMException("The offer has no identity.", "InvalidStateError");
  return { conference, type, offer: await identityHash(offer) };
}

/**
 * "The value of contents includes the fingerprint of the certificate that was selected or generated during the
 * construction of the RTCPeerConnection."
 *
 * @param {RTCPeerConnection} connection
 * @param {"offer" | "answer"} type which of the two can be created now
 */
async function localFingerprints(connection, type) {
  const { certificates } = native(connection, "getConfiguration");
  if (certificates?.length) return certificates.flatMap(fingerprintsOf);
  const { sdp } = await native(connection, type === "offer" ? "createOffer" : "createAnswer");
  const [first] = readFingerprints(sdp);
  if (first) return [first];
  if (connection.signalingState === "stable") return [await fingerprintOfIdle(connection)];
  throw new DOMException("The connection's certificate is not known yet.", "InvalidStateError");
}

/**
 * The fingerprint of a connection without media, whose certificate the browser chose: a data channel that is closed
 * before it is negotiated makes it appear in an offer, and leaves nothing but a `negotiationneeded` event behind.
 *
 * @param {RTCPeerConnection} connection
 */
async function fingerprintOfIdle(connection) {
  const channel = native(connection, "createDataChannel", "");
  try {
    const [fingerprint] = readFingerprints((await native(connection, "createOffer")).sdp);
    return fingerprint;
  } finally {
    channel.close();
  }
}

/** @param {RTCCertificate} certificate */
function fingerprintsOf(certificate) {
  return certificate
    .getFingerprints()
    .map(({ algorithm = "", value = "" }) => normalizeFingerprint({ algorithm, digest: value }));
}
