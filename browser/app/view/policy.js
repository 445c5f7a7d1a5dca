/** The host's word on who may come in: a guest list, and what is done about everyone else. */

import { part, write } from "./elements.js";

/** @typedef {import("../admission.js").Admission} Admission */
/** @typedef {import("../admission.js").Otherwise} Otherwise */

/** What is done about everyone, if there is no guest list, and about everyone else, if there is one. */
const OTHERS = /** @type {Record<Otherwise, [string, string]>} */ ({
  ask: ["You are asked about everyone.", "You are asked about everyone else."],
  refuse: ["Everyone is turned away.", "Everyone else is turned away."],
  admit: [
    "Everyone with a verified identity comes in.",
    "So does everyone with a verified identity.",
  ],
});

/** The control in the lobby. */
export class PolicyView {
  #admission;
  #panel = /** @type {HTMLDetailsElement} */ (part("policy"));
  #text = /** @type {HTMLTextAreaElement} */ (part("guest-list"));
  #problem = /** @type {HTMLElement} */ (document.getElementById("guest-list-problem"));

  /** @param {Admission} admission */
  constructor(admission) {
    this.#admission = admission;
    this.#text.addEventListener("input", () => {
      admission.setGuestList(this.#text.value);
      // While somebody writes, an entry is not wrong yet; but it may be right by now.
      if (admission.guestList.unreadable.length === 0) this.#complain();
    });
    this.#text.addEventListener("change", () => this.#complain());
    part("others").addEventListener("change", ({ target }) =>
      admission.setOthers(
        /** @type {Otherwise} */ (/** @type {HTMLInputElement} */ (target).value),
      ),
    );
  }

  /**
   * @param {boolean} isHost
   * @param {string} provider the user's own, for the examples
   */
  render(isHost, provider) {
    const { guestText, others } = this.#admission;
    this.#panel.hidden = !isHost;
    // Whoever is writing has said the same; after a reload it is what they had written.
    if (this.#text.value !== guestText) this.#text.value = guestText;
    for (const choice of part("others").querySelectorAll("input"))
      choice.checked = choice.value === others;
    const host = provider.replace(/:\d+$/, "") || "idp.example";
    write(part("example-guest"), `name@${host}`);
    write(part("example-provider"), `@${host}`);
    write(part("policy-summary"), summary(this.#admission));
  }

  /**
   * Whether the list can be used; if not, the user is taken to it.
   *
   * @returns {boolean}
   */
  check() {
    const isReadable = this.#complain();
    if (!isReadable) {
      this.#panel.open = true;
      this.#text.focus();
    }
    return isReadable;
  }

  #complain() {
    const { unreadable } = this.#admission.guestList;
    const isReadable = unreadable.length === 0;
    const names = unreadable.map((entry) => `“${entry}”`).join(", ");
    write(this.#problem, isReadable ? "" : `Neither name@provider nor @provider: ${names}.`);
    this.#text.setAttribute("aria-invalid", String(!isReadable));
    return isReadable;
  }
}

/** @param {Admission} admission */
function summary({ guestList: { guests }, others }) {
  const [everyone, everyoneElse] = OTHERS[others];
  if (guests.length === 0) return everyone;
  const list = guests.length === 1 ? `${guests[0]} comes in` : `${guests.length} guests come in`;
  return `${list}. ${everyoneElse}`;
}
