/** The IdP proxy's script alone, in a Worker of an opaque origin (sandbox/): no page, no cookies, no storage. */

import { idpError } from "./errors.js";
import { connect, IdpRealm, loadFrame, nextMessage, removingOnFailure } from "./idp-realm.js";
import { SANDBOX_PAGE } from "./sandbox-page.js";
import { within } from "./time-limit.js";

/**
 * @param {URL} uri the IdP proxy's
 * @param {AbortSignal} signal
 * @returns {Promise<IdpRealm>}
 */
export async function openSandbox(uri, signal) {
  const frame = await loadFrame(SANDBOX_PAGE, "allow-scripts", signal);
  const port = await removingOnFailure(frame, within(signal, start(frame, uri)));
  return new IdpRealm(frame, port);
}

/**
 * @param {HTMLIFrameElement} frame
 * @param {URL} uri
 * @returns {Promise<MessagePort>} of a realm in which the IdP has registered
 */
async function start(frame, uri) {
  const message = { type: "perc-idp-sandbox", uri: uri.href, origin: location.origin };
  // The frame's origin is opaque and has no name; what is in it is this project's own page.
  const { port, greeting } = await connect(frame, message, "*");
  if (!greeting) throw idpError("idp-load-failure", "this site has no sandbox for IdP proxies");
  const outcome = await nextMessage(port);
  if (outcome?.type === "ready") return port;
  const detail = outcome?.loaded ? "idp-bad-script-failure" : "idp-load-failure";
  throw idpError(detail, String(outcome?.reason ?? "the IdP proxy could not be loaded"));
}
