/**
 * The popup's last step: hands the one-time code to this provider's own frame in the page that opened the
 * popup, and tells that page that another attempt is likely to succeed (webrtc-identity, User Login Procedure).
 */

const ACKNOWLEDGEMENT_LIMIT = 10_000;

/** A button that appears under a finger already on its way is not a decision. */
const SETTLING_TIME = 500;

const outcome = /** @type {HTMLElement | null} */ (document.querySelector("[data-code]"));
if (outcome) handOver(outcome);
for (const button of document.querySelectorAll("button[data-settle]")) {
  settle(/** @type {HTMLButtonElement} */ (button));
}

/** @param {HTMLElement} element */
async function handOver(element) {
  const { code, challenge, origin } = element.dataset;
  const opener = window.opener;
  if (!opener) {
    element.textContent = "The page that asked is gone. You can close this window.";
    return;
  }
  const acknowledged = acknowledgement(challenge);
  for (let index = 0; index < opener.length; index += 1) {
    // "its own origin as targetOrigin": no frame of anyone else's receives the code.
    opener[index].postMessage({ type: "perc-idp-code", code, challenge }, location.origin);
  }
  if (await acknowledged) {
    opener.postMessage("WEBRTC-LOGINDONE", origin);
    window.close();
    element.textContent = "Done. You can close this window.";
  } else {
    element.textContent = "The page did not take over. Close this window and try again there.";
  }
}

/**
 * @param {string | undefined} challenge
 * @returns {Promise<boolean>} whether the frame has its session
 */
function acknowledgement(challenge) {
  return new Promise((resolve) => {
    setTimeout(resolve, ACKNOWLEDGEMENT_LIMIT, false);
    addEventListener("message", ({ origin, data }) => {
      if (origin !== location.origin || data?.type !== "perc-idp-session") return;
      if (data.challenge === challenge) resolve(data.opened === true);
    });
  });
}

/** @param {HTMLButtonElement} button disabled as the page comes */
function settle(button) {
  setTimeout(() => {
    button.disabled = false;
  }, SETTLING_TIME);
}
