/** The user's own microphone and camera. */

import { describeDevice } from "./failures.js";

const CONSTRAINTS = {
  audio: { audio: { echoCancellation: true, noiseSuppression: true } },
  video: { video: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 } } },
};

/** @typedef {"audio" | "video"} Kind */

/** `change` whenever a track comes, goes or is muted. */
export class LocalMedia extends EventTarget {
  /** @type {MediaStreamTrack | null} */
  audio = null;
  /** @type {MediaStreamTrack | null} */
  video = null;
  isMuted = false;
  /** How often each was closed: what was asked for before is not wanted any more. */
  #closed = { audio: 0, video: 0 };
  /** @type {Record<Kind, string>} why a device is not there, for the user */
  trouble = { audio: "", video: "" };

  /**
   * Opens a device, or says in `trouble` why not. The user may take their time to allow it: if it
   * is closed meanwhile, it stays closed.
   *
   * @param {Kind} kind
   * @returns {Promise<MediaStreamTrack | null>}
   */
  async open(kind) {
    const closed = this.#closed[kind];
    const isWanted = () => closed === this.#closed[kind];
    try {
      const stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS[kind]);
      const [track = null] = stream.getTracks();
      if (isWanted()) this.#install(kind, track);
      else track?.stop();
    } catch (error) {
      if (isWanted()) this.trouble[kind] = describeDevice(error, kind);
    }
    this.#applyMute();
    return this[kind];
  }

  /** @param {Kind} kind its light goes out */
  close(kind) {
    this.#closed[kind]++;
    this[kind]?.stop();
    this[kind] = null;
    this.#changed();
  }

  /** @param {boolean} isMuted silence is sent, so that unmuting is instant */
  mute(isMuted) {
    this.isMuted = isMuted;
    this.#applyMute();
  }

  /**
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  #install(kind, track) {
    this[kind]?.stop();
    this[kind] = track;
    this.trouble[kind] = "";
  }

  #applyMute() {
    if (this.audio !== null) this.audio.enabled = !this.isMuted;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
