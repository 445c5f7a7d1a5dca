/** "The user agent SHOULD limit the time that it allows for an IdP to 15 seconds." (webrtc-identity) */

import { idpError } from "./errors.js";

/** Milliseconds, for loading the IdP proxy and for what it is asked, together. */
export const TIME_LIMIT = 15_000;

/**
 * @template T
 * @param {AbortSignal} signal
 * @param {Promise<T>} work
 * @returns {Promise<T>} rejects with `idp-timeout` when the time is over, with the signal's reason when it is aborted
 */
export async function within(signal, work) {
  let end = () => {};
  const ended = new Promise((_, reject) => {
    end = () => reject(reasonOf(signal));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
  try {
    return await Promise.race([work, /** @type {Promise<never>} */ (ended)]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/** @param {AbortSignal} signal */
function reasonOf({ reason }) {
  if (reason?.name !== "TimeoutError") return reason;
  return idpError("idp-timeout", "the identity provider did not answer in time");
}
