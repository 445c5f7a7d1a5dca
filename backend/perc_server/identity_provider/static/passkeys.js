/**
 * Forms that a passkey fills in: `data-passkey` names where the options come from, `data-create` says that it is to be a
 * new one. The browser's answer goes back as a field of the form, so that what follows is an ordinary page.
 */

/** @type {Record<string, string>} by DOMException name */
const EXPLANATIONS = {
  NotAllowedError: "No passkey was used. Try again.",
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "Passkeys cannot be used under this address.",
};

// Older browsers would need their own conversions; a password serves them.
if (typeof globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON === "function") {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    offer(/** @type {HTMLFormElement} */ (form));
  }
}

/** @param {HTMLFormElement} form hidden as the page comes */
function offer(form) {
  for (const note of document.querySelectorAll("[data-without-passkeys]")) note.remove();
  form.hidden = false;
  /** @type {HTMLElement | null} */ (form.querySelector("[data-focus]"))?.focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    fill(form);
  });
}

/** @param {HTMLFormElement} form */
async function fill(form) {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  const problem = /** @type {HTMLElement} */ (form.querySelector("[role=alert]"));
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("credential"));
  button.disabled = true;
  problem.textContent = "";
  try {
    field.value = JSON.stringify(await credential(form.dataset));
    form.submit();
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    problem.textContent = EXPLANATIONS[name] ?? message;
    button.disabled = false;
    button.focus();
  }
}

/**
 * @param {DOMStringMap} dataset
 * @returns {Promise<Credential | null>}
 */
async function credential({ passkey = "", create }) {
  const response = await fetch(passkey, { method: "POST", redirect: "error" });
  const document = await response.json();
  if (!response.ok) throw new Error(document.detail);
  return create === undefined
    ? navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(document),
      })
    : navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(document),
      });
}
