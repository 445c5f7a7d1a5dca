/** The event log: every numbered step of the call flow, as it happens. */

import { eventLog } from "../../ladder/events.js";
import { part, stamp } from "./elements.js";

/** Shows the log in its panel. */
export class LogView {
  #list = part("log-entries");

  constructor() {
    eventLog.entries.forEach((entry, position) => this.#insert(entry, position));
    eventLog.addEventListener("entry", (event) => {
      const { entry, position } = /** @type {CustomEvent} */ (event).detail;
      this.#insert(entry, position);
    });
  }

  /**
   * @param {import("../../ladder/events.js").Entry} entry
   * @param {number} position
   */
  #insert(entry, position) {
    const item = stamp("log-entry");
    part("step", item).textContent = entry.step;
    part("step-text", item).textContent = entry.text;
    part("step-time", item).textContent = `${(entry.at / 1000).toFixed(2)} s`;
    this.#list.insertBefore(item, this.#list.children[position] ?? null);
    if (position === eventLog.entries.length - 1) this.#list.scrollTop = this.#list.scrollHeight;
  }
}
