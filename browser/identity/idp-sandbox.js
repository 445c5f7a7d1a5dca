/** The IdP proxy's script alone, in a Worker of an opaque origin (sandbox/): no page, no cookies, no storage. */

import { idpError } from "./errors.js";
import { connect, IdpRealm, loadFrame, removingOnFailure } from "./idp-realm.js";
import { within } from "./time-limit.js";

const SANDBOX = new URL("sandbox/sandbox.html", import.meta.url);

/**
 * @param {URL} uri the IdP proxy's
 * @param {AbortSignal} signal
 * @returns {Promise<IdpRealm>}
 */
export async function openSandbox(uri, signal) {
  const frame = await loadFrame(SANDBOX, "allow-scripts", signal);
  const message = { type: "perc-idp-sandbox", uri: uri.href, origin: location.origin };
  // The frame's origin is opaque and has no name; what is in it is this project's own page.
  const { port, first } = connect(frame, message, "*");
  const greeting = await removingOnFailure(frame, within(signal, first));
  if (greeting?.type === "ready") return new IdpRealm(frame, port);
  frame.remove();
  const detail = greeting?.loaded ? "idp-bad-script-failure" : "idp-load-failure";
  throw idpError(detail, String(greeting?.reason ?? "the IdP proxy could not be loaded"));
}
