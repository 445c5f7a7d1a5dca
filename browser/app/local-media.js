/** The user's own microphone and camera. */

const AUDIO = { echoCancellation: true, noiseSuppression: true };
const VIDEO = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 } };

/** `change` whenever a track comes, goes or is muted. */
export class LocalMedia extends EventTarget {
  /** @type {MediaStreamTrack | null} */
  audio = null;
  /** @type {MediaStreamTrack | null} */
  video = null;
  isMuted = false;

  /**
   * Opens what is wanted and there.
   *
   * @param {"audio" | "video"} kind
   * @returns {Promise<MediaStreamTrack>}
   * @throws {DOMException} of getUserMedia
   */
  async open(kind) {
    const constraints = kind === "audio" ? { audio: AUDIO } : { video: VIDEO };
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    const [track] = stream.getTracks();
    if (track === undefined) throw new DOMException("no track came", "NotFoundError");
    this[kind]?.stop();
    this[kind] = track;
    track.enabled = kind === "video" || !this.isMuted;
    this.#changed();
    return track;
  }

  /** @param {"audio" | "video"} kind the device's light goes out */
  close(kind) {
    this[kind]?.stop();
    this[kind] = null;
    this.#changed();
  }

  /** @param {boolean} isMuted silence is sent, so that unmuting is instant */
  mute(isMuted) {
    this.isMuted = isMuted;
    if (this.audio !== null) this.audio.enabled = !isMuted;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
