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
  return inTurn(connection, async () => {
    // The provider is part of the system's state now, when it is this operation's turn.
    if (identityOf(connection).provider) checkState(connection, type);
    return createInState(connection, type, options);
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
  const { sdp } = await createInState(connection, type);
  return { type: init?.type ?? type, sdp };
}

/**
 * "Consider an RTCPeerConnection's currently configured identity provider (or lack of one) to be part of the offerer's
 * system state": what has been made is made anew if the provider has changed meanwhile.
 *
 * @param {RTCPeerConnection} connection
 * @param {"offer" | "answer"} type
 * @param {any[]} options
 * @returns {Promise<RTCSessionDescriptionInit>}
 */
async function createInState(connection, type, ...options) {
  const identity = identityOf(connection);
  for (;;) {
    const { provider, assertions } = identity;
    try {
      const value = provider && (await assertionFor(connection, type));
      const method = type === "offer" ? "createOffer" : "createAnswer";
      const description = await native(connection, method, ...options);
      if (identity.assertions === assertions) return withIdentity(description, value);
    } catch (error) {
      if (identity.assertions === assertions) throw error;
    }
  }
}

/**
 * @param {RTCSessionDescriptionInit} description
 * @param {string | null} value
 * @returns {RTCSessionDescriptionInit}
 */
function withIdentity(description, value) {
  if (!value) return description;
  return { type: description.type, sdp: insertIdentity(description.sdp ?? "", value) };
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
