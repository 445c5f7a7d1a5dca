/** The IdP proxy under the IdP's own origin: a page beside the script, which also speaks with the login popup. */

import { idpError } from "./errors.js";
import { connect, IdpRealm, loadFrame } from "./idp-realm.js";

/** How long (ms) it is known that a provider has no frame; and of how many, the latest ones. */
const ABSENT_LIMIT = 5 * 60_000;
const ABSENT_KNOWN = 64;

/** When it was found that there is no frame, by its address. @type {Map<string, number>} */
const absent = new Map();

/**
 * @param {URL} uri the IdP proxy's
 * @param {AbortSignal} signal
 * @returns {Promise<IdpRealm | null>} null if this IdP has no such frame
 */
export async function openFrame(uri, signal) {
  // Under the page's own origin a frame that may run scripts as itself could reach into the page.
  if (uri.origin === location.origin || isAbsent(uri)) return null;
  const frame = await loadFrame({ src: frameUrl(uri) }, "allow-scripts allow-same-origin", signal);
  // With the IdP's origin as target no other origin ever has the port, wherever the frame was redirected to.
  const { port, greeting } = await connect(frame, { type: "perc-idp-connect" }, uri.origin);
  if (greeting?.type !== "ready") {
    frame.remove();
    return null;
  }
  if (!greeting.registered) {
    frame.remove();
    throw idpError("idp-bad-script-failure", "the IdP proxy did not register");
  }
  return new IdpRealm(frame, port);
}

/**
 * A frame that is not there is found out by waiting: once for a provider, whatever the query of its protocol is.
 *
 * @param {URL} uri the proxy's, whose script alone has been loaded
 */
export function rememberAbsence({ origin, pathname }) {
  absent.delete(origin + pathname);
  absent.set(origin + pathname, performance.now());
  const [oldest = ""] = absent.keys();
  if (absent.size > ABSENT_KNOWN) absent.delete(oldest);
}

/**
 * @param {URL} uri the proxy's, whose script alone did not do: the frame is looked for again
 * @returns {boolean} whether it was known to be absent
 */
export function forgetAbsence({ origin, pathname }) {
  return absent.delete(origin + pathname);
}

/** @param {URL} uri */
function isAbsent({ origin, pathname }) {
  const since = absent.get(origin + pathname);
  return since !== undefined && performance.now() - since < ABSENT_LIMIT;
}

/** @param {URL} uri */
function frameUrl(uri) {
  const url = new URL(uri);
  url.pathname += "/frame";
  return url.href;
}
