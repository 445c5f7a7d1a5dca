/** What a call should say besides its state. */

import { part, stamp, write } from "./elements.js";

/** @typedef {import("../notices.js").Notice} Notice */

const TEXTS = /** @type {Record<Notice, string>} */ ({
  "events-lost": "The server does not answer. The call goes on; newcomers may not appear.",
  "host-away": "The host's connection is interrupted. The call goes on until the keys expire.",
  "tunnel-lost":
    "Your Key Distributor lost its tunnel and tries to get it back. Meanwhile nobody can join; the call goes on until the keys expire.",
  "tunnel-gone":
    "Your Key Distributor did not get its tunnel back, and the keys have expired: nobody sends anything any more. End the conference, and open your room again.",
  "path-lost": "Your connection is interrupted. Another way is being looked for.",
  "keys-expired": "The keys have expired, and no new ones came. Nothing of yours is sent any more.",
  "key-channel-closed": "The Key Distributor closed your key channel. No new keys will come.",
  "fingerprint-failure":
    "Somebody came with a certificate that no verified identity vouches for. They got no keys.",
  "decision-failed":
    "Your Key Distributor could not carry out what you decided. Nobody was let in by it, and nobody removed.",
});

/** Something happened, and is over: the user has read it, and dismisses it. */
const MOMENTARY = new Set(["fingerprint-failure", "decision-failed"]);

/** Shows the notices of a call. */
export class Notices {
  #conference;
  #list = part("notices");
  /** @type {Map<string, HTMLElement>} by text */
  #items = new Map();

  /** @param {import("../conference.js").Conference} conference */
  constructor(conference) {
    this.#conference = conference;
  }

  render() {
    const { notices, media, state } = this.#conference;
    const current = new Map(
      (state === "in-call" ? [...notices] : []).map((notice) => [TEXTS[notice], notice]),
    );
    const texts = [...current.keys(), ...Object.values(media.trouble).filter(Boolean)];
    for (const [text, item] of this.#items) {
      if (texts.includes(text)) continue;
      item.remove();
      this.#items.delete(text);
    }
    for (const text of texts) if (!this.#items.has(text)) this.#add(text, current.get(text));
  }

  /**
   * @param {string} text
   * @param {Notice} [notice]
   */
  #add(text, notice) {
    const item = stamp("notice");
    write(part("notice-text", item), text);
    const dismiss = part("dismiss", item);
    if (notice !== undefined && MOMENTARY.has(notice)) {
      dismiss.addEventListener("click", () => this.#conference.dismiss(notice));
    } else {
      dismiss.remove();
    }
    this.#items.set(text, item);
    this.#list.append(item);
  }
}
