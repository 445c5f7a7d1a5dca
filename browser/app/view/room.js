/** A room's page: which section is shown in which state, and the call itself. */

import { button, part, show, stamp, write } from "./elements.js";
import { Lobby } from "./lobby.js";

/** @typedef {import("../conference.js").Conference} Conference */
/** @typedef {import("../conference.js").State} State */

/** @type {Record<State, string>} */
const SCREENS = {
  loading: "progress",
  lobby: "lobby",
  waiting: "lobby",
  opening: "progress",
  joining: "progress",
  "confirming-host": "progress",
  connecting: "progress",
  "in-call": "call",
  left: "over",
  ended: "over",
  failed: "over",
};

/** What the page does, in order; the first three are the owner's alone. */
const STAGES = /** @type {const} */ ([
  ["starting-key-distributor", "Start the Key Distributor in this page"],
  ["starting-conference", "Announce the conference"],
  ["connecting-key-distributor", "Connect the Key Distributor to the Media Distributor"],
  ["starting-media", "Start end-to-end encryption"],
  ["offering", "Have your offer signed and accepted"],
  ["answering", "Check who answers"],
  ["connecting", "Connect to the Media Distributor"],
  ["keying", "Receive keys and roster"],
]);
const OWNER_STAGES = 3;

const NOTICES = /** @type {Record<import("../call.js").Notice, string>} */ ({
  "events-lost": "The server does not answer. The call goes on; newcomers may not appear.",
  "host-away": "The host's connection is interrupted. The call goes on until the keys expire.",
  "tunnel-lost":
    "Your Key Distributor lost its tunnel. Nobody can join; the call ends when the keys expire.",
  "keys-expired": "The keys have expired, and no new ones came. Nothing of yours is sent any more.",
  "key-channel-closed": "The Key Distributor closed your key channel. No new keys will come.",
  "fingerprint-failure":
    "Somebody came with a certificate that no verified identity vouches for. They got no keys.",
});

/** Shows a Conference, and lets the user act. */
export class RoomView {
  #conference;
  #grid;
  #lobby;
  #dialog = /** @type {HTMLDialogElement} */ (part("confirm-host"));

  /**
   * @param {Conference} conference
   * @param {import("./tile-grid.js").TileGrid} grid
   */
  constructor(conference, grid) {
    this.#conference = conference;
    this.#grid = grid;
    this.#lobby = new Lobby(conference);
    conference.addEventListener("change", () => this.#render());
    this.#listen();
    this.#render();
  }

  #listen() {
    const conference = this.#conference;
    part("cancel").addEventListener("click", () => conference.leave());
    part("leave").addEventListener("click", () => conference.leave());
    part("again").addEventListener("click", () => conference.back());
    part("microphone").addEventListener("click", () => this.#toggleMicrophone());
    part("camera").addEventListener("click", () =>
      conference.media.video === null ? conference.openDevice("video") : conference.closeCamera(),
    );
    part("copy-link").addEventListener("click", () => this.#copyLink());
    part("toggle-log").addEventListener("click", () => this.#toggleLog());
    part("host-yes").addEventListener("click", () => conference.confirmHost(true));
    part("host-no").addEventListener("click", () => conference.confirmHost(false));
    this.#dialog.addEventListener("cancel", () => conference.confirmHost(false));
    window.addEventListener("pagehide", () => conference.leave());
    window.addEventListener("beforeunload", (event) => {
      if (conference.endsForOthers) event.preventDefault();
    });
  }

  #render() {
    const { state } = this.#conference;
    document.body.dataset["state"] = state;
    show(SCREENS[state]);
    if (SCREENS[state] === "lobby") this.#lobby.render();
    else this.#lobby.hide();
    if (SCREENS[state] === "progress") this.#renderProgress();
    if (SCREENS[state] === "over") this.#renderEnd();
    this.#renderCall();
    this.#renderDialog();
    button("toggle-log").hidden = false;
  }

  #renderProgress() {
    const { stage, role, room, state } = this.#conference;
    write(
      part("progress-title"),
      state === "loading" ? "Loading …" : role === "owner" ? "Opening your room …" : "Joining …",
    );
    write(part("progress-room"), room);
    const stages = role === "owner" ? STAGES : STAGES.slice(OWNER_STAGES);
    const list = part("stages");
    if (list.childElementCount !== stages.length)
      list.replaceChildren(...stages.map(() => stamp("stage")));
    const current = stages.findIndex(([name]) => name === stage);
    stages.forEach(([, text], index) => {
      const item = /** @type {HTMLElement} */ (list.children[index]);
      const status = index < current ? "done" : index === current ? "current" : "ahead";
      item.dataset["status"] = status;
      write(part("stage-text", item), text);
      write(part("stage-status", item), status === "done" ? "done" : "");
      item.toggleAttribute("aria-current", status === "current");
    });
    list.hidden = state === "loading";
    const text = stages[current]?.[1];
    write(part("progress-status"), text === undefined ? "" : `${text} …`);
  }

  #renderEnd() {
    const { state, failure, room, role } = this.#conference;
    const texts = {
      left: [
        "You have left",
        role === "owner"
          ? "You have ended the conference for everybody."
          : `The room “${room}” goes on without you.`,
      ],
      ended: ["The conference is over", "Its host has ended it. The keys are forgotten."],
    };
    const [title = "", text = ""] =
      state === "failed"
        ? [failure?.title, failure?.text]
        : (texts[/** @type {"left"} */ (state)] ?? []);
    write(part("over-title"), title);
    write(part("over-text"), text);
    part("over-detail").hidden = state !== "failed";
    write(part("over-error"), failure?.detail ?? "");
    part("over").classList.toggle("problem", state === "failed");
  }

  #renderCall() {
    const { media, notices, joinLink: link, role, room, state } = this.#conference;
    this.#grid.setOwnVideo(media.video);
    const isMuted = media.audio === null || media.isMuted;
    press(button("microphone"), !isMuted, isMuted ? "Microphone off" : "Microphone on");
    press(
      button("camera"),
      media.video !== null,
      media.video === null ? "Camera off" : "Camera on",
    );
    write(button("leave"), role === "owner" ? "End for everybody" : "Leave");
    write(part("call-room"), room);
    part("copy-link").hidden = link === null;
    const texts = state === "in-call" ? [...notices].map((notice) => NOTICES[notice]) : [];
    write(part("notices"), [...texts, ...Object.values(media.trouble).filter(Boolean)].join(" "));
    const link0 = /** @type {HTMLInputElement} */ (part("join-link"));
    if (link !== null && link0.value !== link) link0.value = link;
    part("share").hidden = link === null;
  }

  #renderDialog() {
    const { state, foundHost } = this.#conference;
    write(part("found-host"), foundHost);
    if (state === "confirming-host" && !this.#dialog.open) this.#dialog.showModal();
    if (state !== "confirming-host" && this.#dialog.open) this.#dialog.close();
  }

  #toggleMicrophone() {
    const { media } = this.#conference;
    if (media.audio === null) {
      media.mute(false);
      this.#conference.openDevice("audio");
    } else {
      media.mute(!media.isMuted);
    }
  }

  async #copyLink() {
    const link = this.#conference.joinLink;
    if (link === null) return;
    const copied = await navigator.clipboard.writeText(link).then(
      () => true,
      () => false,
    );
    const input = /** @type {HTMLInputElement} */ (part("join-link"));
    if (!copied) input.select();
    write(part("copied"), copied ? "Link copied." : "Copy the link that is selected.");
  }

  #toggleLog() {
    const panel = part("log");
    panel.hidden = !panel.hidden;
    button("toggle-log").setAttribute("aria-expanded", String(!panel.hidden));
  }
}

/**
 * @param {HTMLButtonElement} toggle
 * @param {boolean} isOn
 * @param {string} text
 */
function press(toggle, isOn, text) {
  toggle.setAttribute("aria-pressed", String(isOn));
  write(part("toggle-text", toggle), text);
}
