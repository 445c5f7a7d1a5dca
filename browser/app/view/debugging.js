/**
 * Debugging of the Key Distributor: a warning about its key log, and buttons that save what it has
 * written.
 */

import { part, stamp, write } from "./elements.js";

/** @typedef {import("../../key-distributor/messages.js").DebugRecord} DebugRecord */

/**
 * How a record is saved; `note` is the first line of one whose oldest lines were dropped.
 *
 * @typedef {{ label: string, file: string, type: string, note: (dropped: number) => string }} Format
 */

/** @type {Record<DebugRecord, Format>} */
const FILES = {
  trace: {
    label: "Save trace",
    file: "perc-trace.jsonl",
    type: "application/jsonl",
    note: (dropped) =>
      JSON.stringify({ category: "trace", name: "events_dropped", events: dropped }),
  },
  "key-log": {
    label: "Save key log",
    file: "perc-keys.log",
    type: "text/plain",
    note: (dropped) => `# ${dropped} older lines were dropped.`,
  },
};

/** Shows nothing until a Key Distributor has started that writes something. */
export class DebuggingView {
  #debugging;

  /** @param {import("../debugging.js").Debugging} debugging */
  constructor(debugging) {
    this.#debugging = debugging;
    if (debugging.hasStarted) this.#render();
    else debugging.addEventListener("start", () => this.#render(), { once: true });
  }

  #render() {
    const { records } = this.#debugging;
    if (records.has("key-log")) this.#warn();
    const group = stamp("debugging");
    for (const record of records.keys()) group.append(this.#button(record));
    part("log").append(group);
  }

  #warn() {
    const warning = stamp("key-log-warning");
    part("notices").before(warning);
    // eslint-disable-next-line no-console -- a developer who reads the console sees it there, too
    console.warn(warning.textContent.trim().replaceAll(/\s+/g, " "));
  }

  /** @param {DebugRecord} record */
  #button(record) {
    const button = stamp("save-record");
    write(button, FILES[record].label);
    button.addEventListener("click", () => this.#save(record));
    return button;
  }

  /** @param {DebugRecord} record */
  #save(record) {
    const { file, type, note } = FILES[record];
    const text = this.#debugging.records.get(record)?.text(note) ?? "";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = file;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}
