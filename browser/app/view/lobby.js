/**
 * The lobby: who hosts, who the user is, what they want to be seen and heard with; and waiting for
 * a host.
 */

import { button, part, stamp, write } from "./elements.js";
import { PolicyView } from "./policy.js";

/** @typedef {import("../conference.js").Conference} Conference */

/** Shows the states `lobby` and `waiting`. */
export class Lobby {
  #conference;
  #policy;
  #preview = /** @type {HTMLVideoElement} */ (part("preview"));
  /** @type {import("../conference.js").State} */
  #shown = "loading";

  /** @param {Conference} conference */
  constructor(conference) {
    this.#conference = conference;
    this.#policy = new PolicyView(conference.admission);
    part("sign-in").addEventListener("click", () => conference.user.signIn());
    part("enter").addEventListener("click", () => {
      if (!this.#isOpening || this.#policy.check()) conference.enter();
    });
    part("stop-waiting").addEventListener("click", () => conference.stopWaiting());
    part("lobby-microphone").addEventListener("change", (event) =>
      this.#toggle("audio", /** @type {HTMLInputElement} */ (event.target).checked),
    );
    part("lobby-camera").addEventListener("change", (event) =>
      this.#toggle("video", /** @type {HTMLInputElement} */ (event.target).checked),
    );
  }

  render() {
    const conference = this.#conference;
    // Devices are closed at the end of a call; whoever comes (back) to the lobby sees themselves
    // again.
    const arrives =
      conference.state === "lobby" && this.#shown !== "lobby" && this.#shown !== "waiting";
    this.#shown = conference.state;
    if (arrives) this.#openDevices();
    this.#renderHost();
    this.#renderProviders();
    this.#policy.render(this.#isOpening, conference.user.provider);
    this.#renderLogin();
    this.#renderPreview();
    const isWaiting = conference.state === "waiting";
    part("lobby-form").hidden = isWaiting;
    part("waiting").hidden = !isWaiting;
    write(part("waiting-text"), waitingText(conference));
  }

  get #isOpening() {
    return opensRoom(this.#conference);
  }

  #renderHost() {
    const { owner, isHost, roomState, room } = this.#conference;
    write(part("lobby-title"), isHost ? "Open your room" : "Join the conference");
    write(part("lobby-room"), room);
    const text = isHost
      ? "You will be its host: the keys are made here, and the room is open while your page is."
      : owner === null
        ? "This link does not say who hosts the room. You will be asked before anything is sent."
        : `This link names ${owner} as its host. That is not verified yet: it will be before you ` +
          "are connected, and you are connected to nobody else.";
    write(part("lobby-host"), text);
    write(
      part("lobby-state"),
      roomState === "live" ? "The room is open." : "The room is not open yet.",
    );
  }

  #renderProviders() {
    const { providers, user } = this.#conference;
    const list = part("providers");
    if (list.childElementCount === 0)
      list.append(...providers.map((domain) => this.#choice(domain)));
    for (const input of list.querySelectorAll("input"))
      input.checked = input.value === user.provider;
  }

  /** @param {string} domain */
  #choice(domain) {
    const choice = stamp("provider");
    const input = /** @type {HTMLInputElement} */ (choice.querySelector("input"));
    input.value = domain;
    input.addEventListener("change", () => this.#conference.user.choose(domain));
    part("provider-name", choice).textContent = domain;
    return choice;
  }

  #renderLogin() {
    const { login, provider } = this.#conference.user;
    const isSignedIn = login.status === "signed-in";
    button("sign-in").hidden = login.status !== "signed-out";
    write(button("sign-in"), `Sign in at ${provider}`);
    write(part("login-state"), loginText(this.#conference.user));
    const problem =
      login.status === "failed" ? `${login.failure.title}. ${login.failure.text}` : "";
    write(part("login-problem"), problem);
    button("enter").disabled = !isSignedIn;
    write(button("enter"), enterText(this.#conference));
  }

  #renderPreview() {
    const { media } = this.#conference;
    const stream = /** @type {MediaStream | null} */ (this.#preview.srcObject);
    if (media.video === null) this.#preview.srcObject = null;
    else if (!stream?.getTracks().includes(media.video)) {
      this.#preview.srcObject = new MediaStream([media.video]);
    }
    this.#preview.hidden = media.video === null;
    part("no-preview").hidden = media.video !== null;
    /** @type {HTMLInputElement} */ (part("lobby-camera")).checked = media.video !== null;
    /** @type {HTMLInputElement} */ (part("lobby-microphone")).checked =
      media.audio !== null && !media.isMuted;
    write(part("device-problem"), Object.values(media.trouble).filter(Boolean).join(" "));
  }

  /** The user has gone on from the lobby. */
  hide() {
    this.#shown = this.#conference.state;
  }

  async #openDevices() {
    const conference = this.#conference;
    await conference.openDevice("audio");
    // Whoever has gone on meanwhile has read that their camera is off.
    if (["lobby", "waiting"].includes(conference.state)) await conference.openDevice("video");
  }

  /**
   * @param {"audio" | "video"} kind
   * @param {boolean} isOn
   */
  #toggle(kind, isOn) {
    const { media } = this.#conference;
    if (kind === "video" && !isOn) return this.#conference.closeCamera();
    if (kind === "audio") media.mute(!isOn);
    if (isOn && media[kind] === null) this.#conference.openDevice(kind);
  }
}

/** @param {import("../user.js").User} user */
function loginText({ login, provider }) {
  switch (login.status) {
    case "none":
      return "Choose who vouches for you.";
    case "checking":
      return `Asking ${provider} …`;
    case "signed-out":
      return `You are not signed in at ${provider}.`;
    case "signed-in":
      return `You are ${login.identity}.`;
    case "failed":
      return "";
  }
}

/** @param {Conference} conference */
function opensRoom({ isHost, roomState }) {
  return isHost && roomState !== "live";
}

/** @param {Conference} conference */
function enterText(conference) {
  if (opensRoom(conference)) return "Open the room";
  return conference.roomState === "live" ? "Join" : "Wait for the host";
}

/** @param {Conference} conference */
function waitingText({ owner }) {
  return owner === null ? "The host is not here yet." : `${owner} is not here yet.`;
}
