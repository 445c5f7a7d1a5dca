/** What became of frames in the transform Worker: nothing is dropped without being told. */

import { describe } from "../../media/frame-fates.js";
import { part, write } from "./elements.js";

/** Milliseconds between looks, while the panel is open. */
const INTERVAL = 1_000;

/** Shows the counts in the panel of the event log. */
export class FramesView {
  #conference;

  /** @param {import("../conference.js").Conference} conference */
  constructor(conference) {
    this.#conference = conference;
    setInterval(() => this.#render(), INTERVAL);
  }

  async #render() {
    if (part("log").hidden) return;
    const fates = await this.#conference.frameFates();
    part("frames").hidden = fates === null;
    if (fates === null) return;
    write(part("frames-sent"), describe(fates.sent));
    write(part("frames-received"), describe(fates.received));
  }
}
