/** A room's page: which section is shown in which state, and the call itself. */

import { Door } from "./door.js";
import { button, part, show, stamp, write } from "./elements.js";
import { Lobby } from "./lobby.js";
import { Notices } from "./notices.js";
import { Removal } from "./removal.js";

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
  denied: "over",
  removed: "over",
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

const TITLE = document.title;

/** How a call can end that did not fail. */
const ENDS = /** @type {Record<string, [string, string]>} */ ({
  ended: ["The conference is over", "Its host has ended it. The keys are forgotten."],
  denied: [
    "The host did not let you in",
    "They declined, or nobody answered. You have got no keys, and nothing of yours was sent.",
  ],
  removed: [
    "The host removed you",
    "The others have new keys: you neither see nor hear them any more, nor they you. To come back you have to ask.",
  ],
});

/** Shows a Conference, and lets the user act. */
export class RoomView {
  #conference;
  #grid;
  #lobby;
  #door;
  #notices;
  #removal;
  #dialog = /** @type {HTMLDialogElement} */ (part("confirm-host"));

  /**
   * @param {Conference} conference
   * @param {import("./tile-grid.js").TileGrid} grid
   */
  constructor(conference, grid) {
    this.#conference = conference;
    this.#grid = grid;
    this.#lobby = new Lobby(conference);
    this.#door = new Door(conference);
    this.#notices = new Notices(conference);
    this.#removal = new Removal(conference);
    conference.addEventListener("change", () => this.#render());
    this.#listen();
    this.#render();
  }

  #listen() {
    const conference = this.#conference;
    for (const name of ["cancel", "stop-knocking", "leave"])
      part(name).addEventListener("click", () => conference.leave());
    part("again").addEventListener("click", () => conference.back());
    part("microphone").addEventListener("click", () => this.#toggleMicrophone());
    part("camera").addEventListener("click", () =>
      conference.media.video === null ? conference.openDevice("video") : conference.closeCamera(),
    );
    part("copy-link").addEventListener("click", () => this.#copyLink());
    part("toggle-log").addEventListener("click", () => this.#toggleLog());
    part("host-yes").addEventListener("click", () => conference.question.answer(true));
    part("host-no").addEventListener("click", () => conference.question.answer(false));
    this.#dialog.addEventListener("cancel", () => conference.question.answer(false));
    window.addEventListener("pagehide", ({ persisted }) => conference.unload(persisted));
    window.addEventListener("beforeunload", (event) => {
      if (conference.endsForOthers) event.preventDefault();
    });
  }

  #render() {
    const { state, stage, admission } = this.#conference;
    const waiting = admission.requests.length;
    document.title = waiting === 0 ? TITLE : `(${waiting}) ${TITLE}`;
    document.body.dataset["state"] = state;
    const isKnocking = stage === "awaiting-admission";
    show(isKnocking ? "knocking" : SCREENS[state]);
    if (SCREENS[state] === "lobby") this.#lobby.render();
    else this.#lobby.hide();
    if (SCREENS[state] === "progress") this.#renderProgress();
    if (isKnocking) this.#renderKnocking();
    if (SCREENS[state] === "over") this.#renderEnd();
    this.#renderCall();
    this.#renderDialog();
    button("toggle-log").hidden = false;
  }

  #renderProgress() {
    const { stage, role, room, state } = this.#conference;
    write(part("progress-title"), progressTitle(this.#conference));
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
      item.ariaCurrent = status === "current" ? "step" : null;
    });
    list.hidden = state === "loading";
    const text = stages[current]?.[1];
    write(part("progress-status"), text === undefined ? "" : `${text} …`);
  }

  #renderKnocking() {
    const { room, owner, user } = this.#conference;
    write(part("knocking-room"), room);
    write(part("knocking-host"), owner ?? "The host");
    write(part("knocking-identity"), user.identity ?? "you");
  }

  #renderEnd() {
    const { state, failure, room, role } = this.#conference;
    const left =
      role === "owner"
        ? "You have ended the conference for everybody."
        : `The room “${room}” goes on without you.`;
    const [title = "", text = ""] =
      state === "failed"
        ? [failure?.title, failure?.text]
        : (ENDS[state] ?? ["You have left", left]);
    write(part("over-title"), title);
    write(part("over-text"), text);
    part("over-detail").hidden = state !== "failed";
    write(part("over-error"), failure?.detail ?? "");
    part("over").classList.toggle("problem", state === "failed");
  }

  #renderCall() {
    const { media, joinLink: link, role, room, state } = this.#conference;
    this.#grid.setOwnVideo(media.video);
    const isMuted = media.audio === null || media.isMuted;
    turn(button("microphone"), !isMuted, isMuted ? "Microphone off" : "Microphone on");
    turn(button("camera"), media.video !== null, media.video === null ? "Camera off" : "Camera on");
    write(button("leave"), role === "owner" ? "End for everybody" : "Leave");
    write(part("call-room"), room);
    part("copy-link").hidden = link === null;
    this.#notices.render();
    this.#door.render();
    part("tiles").classList.toggle("hosted", role === "owner");
    if (state !== "in-call") this.#removal.close();
    const link0 = /** @type {HTMLInputElement} */ (part("join-link"));
    if (link !== null && link0.value !== link) link0.value = link;
    part("share").hidden = link === null;
  }

  #renderDialog() {
    const { state, question } = this.#conference;
    write(part("found-host"), question.host);
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
 * Its text says how things are; that it is pressed, besides, would be read out as the contrary.
 *
 * @param {HTMLButtonElement} toggle
 * @param {boolean} isOn
 * @param {string} text
 */
function turn(toggle, isOn, text) {
  toggle.classList.toggle("off", !isOn);
  write(part("toggle-text", toggle), text);
}

/** @param {Conference} conference */
function progressTitle({ state, role, again }) {
  if (state === "loading") return "Loading …";
  if (again === "host-back") return "The host is back; joining again …";
  if (again === "path-lost") return "Your connection was lost; joining again …";
  if (again === "reloaded") return "Opening your room again …";
  return role === "owner" ? "Opening your room …" : "Joining …";
}
