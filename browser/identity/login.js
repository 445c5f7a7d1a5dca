/** webrtc-identity's "User Login Procedure", from the application's side. */

const WINDOW = "popup,width=480,height=640";
const POLL = 250; // ms between looks whether the window is still there; there is no event for it

/**
 * Opens the identity provider's login page and waits until "another attempt at generating an identity assertion is
 * likely to be successful". Call it in a click's handler, or the popup is blocked.
 *
 * @param {string} loginUrl a connection's `idpLoginUrl`
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<void>} rejects with NotAllowedError if the popup is blocked, AbortError if it is closed before
 */
export async function login(loginUrl, { signal } = {}) {
  const { origin, protocol } = new URL(loginUrl);
  if (!/^https?:$/.test(protocol)) throw new DOMException("Not a web page.", "SyntaxError");
  const popup = window.open(loginUrl, "_blank", WINDOW);
  if (!popup) throw new DOMException("The login window was blocked.", "NotAllowedError");
  const over = new AbortController();
  try {
    await Promise.race([done(popup, origin, over.signal), closed(popup, over.signal, signal)]);
  } finally {
    over.abort();
    popup.close();
  }
}

/**
 * @param {Window} popup
 * @param {string} origin
 * @param {AbortSignal} over
 * @returns {Promise<void>}
 */
function done(popup, origin, over) {
  return new Promise((resolve) => {
    /** @param {MessageEvent} event */
    const hear = (event) => {
      if (event.source !== popup || event.origin !== origin) return;
      if (event.data === "WEBRTC-LOGINDONE") resolve();
    };
    addEventListener("message", hear, { signal: over });
  });
}

/**
 * @param {Window} popup
 * @param {AbortSignal} over
 * @param {AbortSignal} [signal] the caller's
 * @returns {Promise<never>}
 */
function closed(popup, over, signal) {
  return new Promise((_, reject) => {
    const end = () => reject(new DOMException("The login was not completed.", "AbortError"));
    signal?.addEventListener("abort", end, { signal: over });
    if (signal?.aborted) end();
    let seenClosed = false;
    const look = setInterval(() => {
      if (seenClosed) end(); // one look later, since its last message may still be on its way
      seenClosed = popup.closed;
    }, POLL);
    over.addEventListener("abort", () => clearInterval(look));
  });
}
