/** The IdP proxy under the IdP's own origin: a page beside the script, which also speaks with the login popup. */

import { idpError } from "./errors.js";
import { connect, IdpRealm, loadFrame } from "./idp-realm.js";

/**
 * @param {URL} uri the IdP proxy's
 * @param {AbortSignal} signal
 * @returns {Promise<IdpRealm | null>} null if this IdP has no such frame
 */
export async function openFrame(uri, signal) {
  // Under the page's own origin a frame that may run scripts as itself could reach into the page.
  if (uri.origin === location.origin) return null;
  const frame = await loadFrame(frameUrl(uri), "allow-scripts allow-same-origin", signal);
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

/** @param {URL} uri */
function frameUrl(uri) {
  const url = new URL(uri);
  url.pathname += "/frame";
  return url;
}
