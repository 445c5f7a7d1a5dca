/** The landing page: create a conference, or join one by its link. */

import { hostLink, newRoomName, readPastedLink, roomNameProblem } from "../links.js";
import { part, show, write } from "./elements.js";

export function showLanding() {
  const name = /** @type {HTMLInputElement} */ (part("room-name"));
  const link = /** @type {HTMLInputElement} */ (part("room-link"));
  name.value = newRoomName();
  part("create").addEventListener("submit", (event) => {
    event.preventDefault();
    const problem = roomNameProblem(name.value);
    complain(name, "room-name-problem", problem);
    if (problem === "") location.assign(hostLink(name.value));
  });
  part("join-by-link").addEventListener("submit", (event) => {
    event.preventDefault();
    const target = readPastedLink(link.value);
    complain(link, "room-link-problem", target === null ? "This is no link to a room here." : "");
    if (target !== null) location.assign(target);
  });
  show("landing");
}

/**
 * @param {HTMLInputElement} input
 * @param {string} partName
 * @param {string} problem
 */
function complain(input, partName, problem) {
  write(part(partName), problem);
  input.setAttribute("aria-invalid", String(problem !== ""));
  if (problem !== "") input.focus();
}
