/** The page's elements: sections that are shown one at a time, and parts of them by name. */

/**
 * @param {string} name of `data-part`
 * @param {ParentNode} [within]
 * @returns {HTMLElement}
 */
export function part(name, within = document) {
  const element = within.querySelector(`[data-part="${name}"]`);
  if (!(element instanceof HTMLElement)) throw new Error(`the page has no part ${name}`);
  return element;
}

/**
 * @param {string} name
 * @param {ParentNode} [within]
 */
export function button(name, within = document) {
  return /** @type {HTMLButtonElement} */ (part(name, within));
}

/**
 * Shows one section of the page and hides the others; the heading of a new section takes the focus,
 * so that it is read out.
 *
 * @param {string} name of `data-screen`
 */
export function show(name) {
  for (const screen of document.querySelectorAll("[data-screen]")) {
    if (!(screen instanceof HTMLElement)) continue;
    const isShown = screen.dataset["screen"] === name;
    const appears = isShown && screen.hidden;
    screen.hidden = !isShown;
    if (appears) screen.querySelector("h1")?.focus();
  }
}

/** Whoever had the focus on something that is gone goes on from the top of the call. */
export function focusCall() {
  /** @type {HTMLElement | null} */ (document.querySelector("[data-screen=call] h1"))?.focus();
}

/**
 * A copy of a template's only element.
 *
 * @param {string} id
 */
export function stamp(id) {
  const template = document.getElementById(id);
  if (!(template instanceof HTMLTemplateElement)) throw new Error(`the page has no template ${id}`);
  const copy = template.content.firstElementChild?.cloneNode(true);
  return /** @type {HTMLElement} */ (copy);
}

/**
 * Sets an element's text, only if it differs: a live region would read it out again.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
