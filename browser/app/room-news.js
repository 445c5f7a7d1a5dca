/**
 * What the event stream has said of a room so far.
 *
 * Events: `state` when the conference began, was interrupted, came back or ended; `sources` when
 * there are others.
 */
export class RoomNews extends EventTarget {
  /** `waiting`, `live` or `ended` */
  state = "waiting";
  /** Which conference it is: one that its owner starts again is another. */
  generation = "";
  #sources = { audio: 0, video: 0 };

  /** @param {import("./signalling.js").Signalling} signalling */
  constructor(signalling) {
    super();
    signalling.addEventListener("state", (event) => {
      const { state, generation } = /** @type {CustomEvent} */ (event).detail;
      Object.assign(this, { state, generation });
      this.dispatchEvent(new Event("state"));
    });
    signalling.addEventListener("sources", (event) => {
      this.#sources = /** @type {CustomEvent} */ (event).detail;
      this.dispatchEvent(new Event("sources"));
    });
  }

  /** Pairs of sources that an offer has to have room for. */
  get pairs() {
    return Math.max(this.#sources.audio, this.#sources.video);
  }
}
