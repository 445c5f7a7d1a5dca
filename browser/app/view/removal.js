/** Removing somebody from the conference: a button on their tile, and a question. */

import { part, write } from "./elements.js";

/** @typedef {import("../conference.js").Conference} Conference */

/** Asks the host whether they mean it. */
export class Removal {
  #dialog = /** @type {HTMLDialogElement} */ (part("confirm-removal"));
  #member = "";

  /** @param {Conference} conference */
  constructor(conference) {
    part("tiles").addEventListener("click", ({ target }) => {
      const tile = /** @type {Element} */ (target)
        .closest("[data-part=remove]")
        ?.closest("article");
      if (tile) this.#ask(tile);
    });
    part("removal-no").addEventListener("click", () => this.#dialog.close());
    part("removal-yes").addEventListener("click", () => {
      this.#dialog.close();
      conference.remove(this.#member);
    });
  }

  /** The call is over, or they are gone. */
  close() {
    this.#dialog.close();
  }

  /** @param {HTMLElement} tile */
  #ask(tile) {
    this.#member = tile.dataset["member"] ?? "";
    write(part("removal-identity"), part("identity", tile).textContent ?? "");
    this.#dialog.showModal();
  }
}
