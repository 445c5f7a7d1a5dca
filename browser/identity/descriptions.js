/** Session descriptions as the specification has them: browsers drop the a=identity that they do not know. */

import { identityOf } from "./connection-identity.js";
import { insertIdentity, originLine, readIdentity } from "./identity-attribute.js";
import { native } from "./native.js";

/** The attributes of RTCPeerConnection that are descriptions. */
export const DESCRIPTIONS = /** @type {const} */ ([
  "localDescription",
  "currentLocalDescription",
  "pendingLocalDescription",
  "remoteDescription",
  "currentRemoteDescription",
  "pendingRemoteDescription",
]);

/** So that an attribute's value stays the same object. @type {WeakMap<RTCSessionDescription, RTCSessionDescription>} */
const complete = new WeakMap();

/**
 * @param {RTCPeerConnection} connection
 * @param {typeof DESCRIPTIONS[number]} attribute
 * @returns {RTCSessionDescription | null}
 */
export function describe(connection, attribute) {
  const description = native(connection, attribute);
  const value = description && identityOf(connection).recall(keyOf(attribute, description.sdp));
  if (!value) return description;
  let completed = complete.get(description);
  if (!completed) {
    const { type, sdp } = description;
    completed = new RTCSessionDescription({ type, sdp: insertIdentity(sdp, value) });
    complete.set(description, completed);
  }
  return completed;
}

/**
 * Remembers the a=identity of a description that the browser has taken.
 *
 * @param {RTCPeerConnection} connection
 * @param {"local" | "remote"} side
 * @param {string} sdp
 */
export function rememberDescription(connection, side, sdp) {
  const value = wellFormedIdentity(sdp);
  if (value) identityOf(connection).remember(keyOf(side, sdp), value);
}

/** @param {string} sdp @returns {string | null} null for a malformed one too: who validates it says what is wrong */
function wellFormedIdentity(sdp) {
  try {
    return readIdentity(sdp);
  } catch {
    return null;
  }
}

/** @param {RTCPeerConnection} connection @returns {string | null} the a=identity of the local description */
export function localIdentity(connection) {
  return readIdentity(describe(connection, "localDescription")?.sdp ?? "");
}

/** @param {RTCPeerConnection} connection @returns {string | null} the a=identity of the remote description */
export function remoteIdentity(connection) {
  return readIdentity(describe(connection, "remoteDescription")?.sdp ?? "");
}

/**
 * @param {string} side
 * @param {string} sdp
 */
function keyOf(side, sdp) {
  return `${/local/i.test(side) ? "local" : "remote"} ${originLine(sdp)}`;
}
