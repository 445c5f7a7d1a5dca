/** What every operation on a connection begins with: whether it is one, and whose turn it is. */

import { identityOf } from "./connection-identity.js";
import { native } from "./native.js";

/** @typedef {import("./connection-identity.js").ConnectionIdentity} ConnectionIdentity */

/**
 * Where identity plays no part the browser is left alone, its own operations chain included.
 *
 * @template T
 * @param {RTCPeerConnection} connection
 * @param {() => Promise<T>} operation
 * @returns {Promise<T>}
 */
export function inTurn(connection, operation) {
  const identity = brandCheck(connection);
  return identity.engaged ? identity.chain(operation) : operation();
}

/** @param {RTCPeerConnection} connection */
export function throwIfClosed(connection) {
  if (native(connection, "signalingState") === "closed") {
    throw new DOMException("The connection is closed.", "InvalidStateError");
  }
}

/**
 * @param {any} connection
 * @returns {ConnectionIdentity}
 */
export function brandCheck(connection) {
  native(connection, "signalingState");
  return identityOf(connection);
}
