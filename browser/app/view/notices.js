/** What a page should say besides its state. */

import { part, stamp, write } from "./elements.js";

/** @typedef {import("../notices.js").Notice} Notice */

/** @typedef {Partial<Record<Notice, string>>} Texts */

const IN_CALL = /** @type {Record<Notice, string>} */ ({
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

/** @type {Texts} */
const IN_LOBBY = {
  "events-lost": "The server does not answer. Whether the room is open may have changed.",
};

/** @type {Texts} */
const AT_THE_DOOR = {
  "events-lost": "The server does not answer. You still wait for the host.",
  "host-away": "The host’s connection is interrupted. Until it is back they cannot let you in.",
  "path-lost": IN_CALL["path-lost"],
};

/** Something happened, and is over: the user has read it, and dismisses it. */
const MOMENTARY = new Set(["fingerprint-failure", "decision-failed"]);

/** Shows the notices that matter where the user is. */
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
    const current = this.#current();
    for (const [text, item] of this.#items) {
      if (current.has(text)) continue;
      item.remove();
      this.#items.delete(text);
    }
    for (const [text, notice] of current) if (!this.#items.has(text)) this.#add(text, notice);
  }

  /** What is to be shown now, by text; not everything that a text is about is a notice. */
  #current() {
    const { notices, media, state } = this.#conference;
    const words = textsFor(this.#conference);
    /** @type {Map<string, Notice | null>} */
    const current = new Map();
    for (const notice of notices) {
      const text = words[notice];
      if (text !== undefined) current.set(text, notice);
    }
    if (state !== "in-call") return current; // The lobby has another place for a device's trouble.
    for (const text of Object.values(media.trouble)) if (text !== "") current.set(text, null);
    return current;
  }

  /**
   * @param {string} text
   * @param {Notice | null} notice
   */
  #add(text, notice) {
    const item = stamp("notice");
    write(part("notice-text", item), text);
    const dismiss = part("dismiss", item);
    if (notice !== null && MOMENTARY.has(notice)) {
      dismiss.addEventListener("click", () => this.#conference.dismiss(notice));
    } else {
      dismiss.remove();
    }
    this.#items.set(text, item);
    this.#list.append(item);
  }
}

/**
 * @param {import("../conference.js").Conference} conference
 * @returns {Texts}
 */
function textsFor({ state, stage }) {
  if (state === "in-call") return IN_CALL;
  if (stage === "awaiting-admission") return AT_THE_DOOR;
  return state === "lobby" || state === "waiting" ? IN_LOBBY : {};
}
