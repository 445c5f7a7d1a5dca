/** Setting the local description, and webrtc-identity's "Setting a Remote Description". */

import { completed } from "./create-description.js";
import { rememberDescription } from "./descriptions.js";
import { native } from "./native.js";
import { brandCheck, inTurn } from "./operations.js";
import { validateIdentity } from "./validate-identity.js";
import { dictionary, optionalString } from "./webidl.js";

/** @typedef {import("./rtc-identity-assertion.js").RTCIdentityAssertion} RTCIdentityAssertion */

/**
 * What is validated and what is applied must be the same strings, whatever the object does when it is read again.
 *
 * @param {unknown} description
 */
export function copy(description) {
  if (description === undefined || description === null) return undefined;
  const members = dictionary(description);
  return { type: optionalString(members, "type"), sdp: optionalString(members, "sdp") };
}

/**
 * @param {RTCPeerConnection} connection
 * @param {{type?: string, sdp?: string} | undefined} init
 * @returns {Promise<void>}
 */
export function setLocal(connection, init) {
  return inTurn(connection, async () => {
    const description = await completed(connection, init);
    await native(connection, "setLocalDescription", ...(description ? [description] : []));
    if (description?.sdp) rememberDescription(connection, "local", description.sdp);
  });
}

/**
 * @param {RTCPeerConnection} connection
 * @param {{type?: string, sdp?: string} | undefined} init
 * @returns {Promise<void>}
 */
export function setRemote(connection, init) {
  const identity = brandCheck(connection);
  const { type = "", sdp = "" } = init ?? {};
  const apply = () => native(connection, "setRemoteDescription", init);
  if (type === "rollback") return inTurn(connection, apply);
  return inTurn(connection, async () => {
    // "the identity validation MUST be completed before the promise returned by setRemoteDescription is resolved": and
    // before the browser can connect to anyone, so the description is not applied until then.
    if (identity.target !== null || identity.binding) {
      const assertion = await validate(connection, { type, sdp });
      await apply();
      rememberDescription(connection, "remote", sdp);
      identity.validated(assertion);
      return;
    }
    await apply();
    if (/^a=identity:/m.test(sdp)) validateApplied(connection, { type, sdp });
  });
}

/**
 * Without a target peer identity: "whether identity validation fails or not MUST NOT influence whether the promise
 * returned by setRemoteDescription is rejected".
 *
 * @param {RTCPeerConnection} connection
 * @param {{type: string, sdp: string}} description
 */
async function validateApplied(connection, description) {
  rememberDescription(connection, "remote", description.sdp);
  try {
    brandCheck(connection).validated(await validate(connection, description));
  } catch {
    // peerIdentity has been rejected, which is where this failure belongs.
  }
}

/**
 * @param {RTCPeerConnection} connection
 * @param {{type: string, sdp: string}} description
 * @returns {Promise<RTCIdentityAssertion>} rejects as `peerIdentity` then does
 */
async function validate(connection, description) {
  try {
    return await validateIdentity(connection, description);
  } catch (error) {
    const identity = brandCheck(connection);
    identity.note(Object(error));
    identity.rejected(error);
    throw error;
  }
}
