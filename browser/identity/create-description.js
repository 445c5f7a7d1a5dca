/** webrtc-identity's "Creating an Offer" and "Creating an Answer". */

import { identityOf } from "./connection-identity.js";
import { operationError } from "./errors.js";
import { insertIdentity } from "./identity-attribute.js";
import { native } from "./native.js";
import { inTurn } from "./operations.js";
import { requestIdentityAssertion } from "./request-assertion.js";

/**
 * @param {RTCPeerConnection} connection
 * @param {"offer" | "answer"} type
 * @param {any} [options]
 * @returns {Promise<RTCSessionDescriptionInit>}
 */
export function create(connection, type, options) {
  const method = type === "offer" ? "createOffer" : "createAnswer";
  return inTurn(connection, async () => {
    // The provider is part of the system's state now, when it is this operation's turn.
    if (!identityOf(connection).provider) return native(connection, method, options);
    checkState(connection, type);
    const value = await assertionFor(connection, type);
    const { sdp } = await native(connection, method, options);
    return { type, sdp: insertIdentity(sdp, value) };
  });
}

/**
 * With a provider, the description that setLocalDescription makes by itself has an assertion as well.
 *
 * @param {RTCPeerConnection} connection
 * @param {{type?: string, sdp?: string} | undefined} init
 */
export async function completed(connection, init) {
  if (!identityOf(connection).provider || init?.sdp || init?.type === "rollback") return init;
  const answers = ["have-remote-offer", "have-local-pranswer"].includes(connection.signalingState);
  const type = init?.type === "offer" || !answers ? "offer" : "answer";
  const value = await assertionFor(connection, type);
  const { sdp } = await native(connection, type === "offer" ? "createOffer" : "createAnswer");
  return { type: init?.type ?? type, sdp: insertIdentity(sdp, value) };
}

/**
 * "If assertion generation fails, then the promise for the corresponding function call is rejected with a newly created
 * OperationError" (another section has NotReadableError here). What failed is its cause.
 *
 * @param {RTCPeerConnection} connection
 * @param {"offer" | "answer"} type
 */
async function assertionFor(connection, type) {
  try {
    return await requestIdentityAssertion(connection, type);
  } catch (cause) {
    throw operationError(`No identity for the ${type}: ${Object(cause).message}`, cause);
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
