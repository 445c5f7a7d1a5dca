/**
 * W3C webrtc-identity for browsers that do not have it, and what the Key Distributor uses of it.
 *
 *     import { apply } from "./identity/index.js";
 *     apply(window);
 *     pc.setIdentityProvider("idp.example", { usernameHint: "alice" });
 *
 * A page that is not ours, without a Content-Security-Policy, can have the same from one classic script instead, which
 * applies itself and needs no other file (`browser/build/classic-script.js`):
 *
 *     <script src="webrtc-identity.js"></script>
 *
 * What a native implementation would do and this cannot: keep the IdP proxy's answers from the page's own scripts,
 * isolate media, tell the HTTP status and the TLS failure of an IdP that is not there.
 */

import { prepareCertificates, takeCertificate } from "./certificates.js";
import { identityOf } from "./connection-identity.js";
import { defineIsolation } from "./media-isolation.js";
import { rememberNative } from "./native.js";
import { RTCIdentityAssertion } from "./rtc-identity-assertion.js";
import { changes, descriptions, extensions } from "./rtc-peer-connection.js";
import { defineMembers, dictionary, optionalString } from "./webidl.js";

export { bindIdentityContents } from "./conference-binding.js";
export { IdpProxy } from "./idp-proxy.js";
export { login } from "./login.js";
export { RTCIdentityAssertion };

/** @returns {boolean} whether the browser has it, by itself or by `apply` */
export function isSupported() {
  return "setIdentityProvider" in RTCPeerConnection.prototype;
}

/**
 * Installs the interfaces, once; does nothing where the browser has them. Connections that exist already take part.
 *
 * @param {Window & typeof globalThis} window the one that this module runs in
 * @returns {Promise<unknown>} when `getIdentityAssertion` works on a connection without media, too
 */
export function apply(window) {
  if (isSupported()) return Promise.resolve();
  const { prototype } = window.RTCPeerConnection;
  rememberNative(prototype);
  defineMembers(prototype, Object.getOwnPropertyDescriptors(extensions));
  defineMembers(prototype, Object.getOwnPropertyDescriptors(changes));
  defineMembers(prototype, descriptions);
  replaceConstructor(window);
  defineIsolation(window.MediaStreamTrack.prototype);
  const visible = { configurable: true, writable: true };
  Object.defineProperty(window, "RTCIdentityAssertion", {
    ...visible,
    value: RTCIdentityAssertion,
  });
  return prepareCertificates();
}

/** @param {Window & typeof globalThis} window */
function replaceConstructor(window) {
  const replaced = new Proxy(window.RTCPeerConnection, { construct });
  const visible = { configurable: true, writable: true, value: replaced };
  Object.defineProperty(replaced.prototype, "constructor", visible);
  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection"]) {
    if (name in window) Object.defineProperty(window, name, visible);
  }
}

/**
 * The constructor of RTCPeerConnection with `peerIdentity` in its configuration.
 *
 * @param {Function} target
 * @param {any[]} args
 * @param {Function} newTarget
 * @returns {RTCPeerConnection}
 */
function construct(target, [configuration, ...rest], newTarget) {
  const peerIdentity = optionalString(dictionary(configuration), "peerIdentity");
  const args = [withCertificate(configuration), ...rest];
  const connection = Reflect.construct(target, args, newTarget);
  const identity = identityOf(connection);
  identity.configured = peerIdentity;
  identity.target = peerIdentity ?? null;
  return connection;
}

/** @param {any} configuration */
function withCertificate(configuration) {
  const certificate = configuration?.certificates?.length ? undefined : takeCertificate();
  if (!certificate) return configuration;
  return Object.create(configuration ?? null, {
    certificates: { value: [certificate], enumerable: true },
  });
}
