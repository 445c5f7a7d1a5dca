/** This project's addition to webrtc-identity: assertions that are good in one conference only (see contents.js). */

import { identityOf } from "./connection-identity.js";
import { isInstalled, native } from "./native.js";

/**
 * From now on, what this connection asserts names the conference, and what it accepts has to; `setRemoteDescription`
 * waits for the validation and rejects without one.
 *
 * @param {RTCPeerConnection} connection
 * @param {import("./connection-identity.js").Binding} binding `conference` is the page's origin and pathname; `onstep`
 *   hears what is done with identity providers
 * @throws {DOMException} NotSupportedError where `apply` left the browser its own identity: it signs fingerprints only
 */
export function bindIdentityContents(connection, { conference, onstep }) {
  if (!isInstalled()) {
    const message = "The browser's own identity assertions cannot be bound to a conference.";
    throw new DOMException(message, "NotSupportedError");
  }
  native(connection, "signalingState"); // the brand check
  identityOf(connection).binding = { conference: `${conference}`, onstep };
}
