/** Lets people see what they type into the password fields of a form. */

for (const box of document.querySelectorAll("input[data-reveal]")) {
  offer(/** @type {HTMLInputElement} */ (box));
}

/** @param {HTMLInputElement} box its label is hidden as the page comes */
function offer(box) {
  const fields = [...(box.form?.querySelectorAll("input[type=password]") ?? [])];
  box.parentElement?.removeAttribute("hidden");
  box.addEventListener("change", () => {
    for (const field of fields) field.setAttribute("type", box.checked ? "text" : "password");
  });
  // Sent as passwords, so that the browser knows what to keep and what not to show again.
  box.form?.addEventListener("submit", () => {
    for (const field of fields) field.setAttribute("type", "password");
  });
}
