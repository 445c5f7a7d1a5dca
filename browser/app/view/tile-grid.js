/**
 * The tiles on the screen.
 *
 * A tile's picture stays hidden until the first frame of its own is on the screen: whatever a
 * decoder still had of somebody else never shows under this name.
 */

import { button, focusCall, part, stamp, write } from "./elements.js";
import { whenAndByWhom } from "./verified.js";

/**
 * How far, in units of the video clock, the first frame shown may lie behind the first one
 * released: a decoder may skip some.
 */
const FIRST_FRAMES = 5 * 90_000;

const WHOSE = /** @type {Record<import("../tiles.js").Whose, string>} */ ({
  "this page": "You, verified",
  "this user": "You elsewhere, verified",
  "another user": "Verified",
});

const MEDIA_KINDS = /** @type {const} */ (["audio", "video"]);

/** @typedef {import("../tiles.js").TileView} TileView */

/** @implements {TileView} */
export class TileGrid {
  #grid = part("tiles");
  /** @type {Map<string, HTMLElement>} */
  #tiles = new Map();
  #ownId = "";
  /** @type {MediaStreamTrack | null} */
  #ownVideo = null;

  /**
   * @param {string} id
   * @param {import("../../media/messages.js").RosterMember} member
   * @param {import("../tiles.js").Whose} whose
   */
  show(id, { identity, verifiedAt }, whose) {
    const isOwn = whose === "this page";
    const tile = this.#tiles.get(id) ?? this.#add(id, isOwn);
    tile.dataset["whose"] = whose;
    write(part("identity", tile), identity);
    write(part("verified", tile), `${WHOSE[whose]} ${whenAndByWhom(identity, verifiedAt * 1000)}`);
    write(part("initial", tile), identity.slice(0, 1).toUpperCase());
    tile.setAttribute("aria-label", isOwn ? `${identity}, you` : identity);
    button("remove", tile).setAttribute("aria-label", `Remove ${identity}`);
    if (isOwn) {
      this.#ownId = id;
      this.setOwnVideo(this.#ownVideo);
    }
  }

  /**
   * @param {string} id
   * @param {boolean} isLagging whether the member has not confirmed the key that is in use
   */
  mark(id, isLagging) {
    const tile = this.#tiles.get(id);
    if (tile !== undefined) part("lagging", tile).hidden = !isLagging;
  }

  /** @param {string} id */
  remove(id) {
    const tile = this.#tiles.get(id);
    if (tile?.contains(document.activeElement)) focusCall();
    for (const kind of MEDIA_KINDS) this.#element(id, kind)?.remove();
    tile?.remove();
    this.#tiles.delete(id);
    this.#count();
  }

  /**
   * @param {string} id
   * @param {MediaStreamTrack} track
   */
  attach(id, track) {
    const tile = this.#tiles.get(id);
    if (tile === undefined) return;
    this.#element(id, track.kind)?.remove();
    const media = document.createElement(track.kind === "audio" ? "audio" : "video");
    media.autoplay = true;
    media.srcObject = new MediaStream([track]);
    media.hidden = true;
    if (media instanceof HTMLVideoElement) media.playsInline = true;
    tile.prepend(media);
  }

  /**
   * @param {string} id
   * @param {MediaStreamTrack} track
   */
  detach(id, track) {
    const media = this.#element(id, track.kind);
    if (media?.srcObject instanceof MediaStream && media.srcObject.getTracks().includes(track)) {
      media.srcObject = null;
      media.remove();
    }
  }

  /**
   * @param {string} id
   * @param {string} kind
   * @param {number} rtpTimestamp
   */
  play(id, kind, rtpTimestamp) {
    const media = this.#element(id, kind);
    if (!(media instanceof HTMLVideoElement)) return;
    const look = (/** @type {number} */ _now, /** @type {VideoFrameCallbackMetadata} */ frame) => {
      const age = ((frame.rtpTimestamp ?? rtpTimestamp) - rtpTimestamp) >>> 0;
      if (age > FIRST_FRAMES) {
        media.requestVideoFrameCallback(look);
        return;
      }
      media.hidden = false;
      performance.mark("perc:remote-video", { detail: { id } });
    };
    media.requestVideoFrameCallback(look);
  }

  /**
   * @param {string} id
   * @param {string} kind
   */
  pause(id, kind) {
    const media = this.#element(id, kind);
    if (media !== null) media.hidden = true;
  }

  clear() {
    for (const id of [...this.#tiles.keys()]) this.remove(id);
  }

  /** @param {MediaStreamTrack | null} track the user's own camera */
  setOwnVideo(track) {
    this.#ownVideo = track;
    if (!this.#tiles.has(this.#ownId)) return;
    const shown = this.#element(this.#ownId, "video");
    const current = /** @type {MediaStream | null} */ (shown?.srcObject ?? null);
    if (track !== null && current?.getTracks().includes(track)) return;
    shown?.remove();
    if (track === null) return;
    this.attach(this.#ownId, track);
    const own = /** @type {HTMLVideoElement} */ (this.#element(this.#ownId, "video"));
    own.muted = true;
    own.hidden = false;
  }

  /**
   * @param {string} id
   * @param {boolean} isOwn
   */
  #add(id, isOwn) {
    const tile = stamp("tile");
    tile.dataset["member"] = id;
    tile.classList.toggle("own", isOwn);
    this.#tiles.set(id, tile);
    this.#grid.append(tile);
    this.#count();
    return tile;
  }

  #count() {
    this.#grid.dataset["count"] = String(Math.min(this.#tiles.size, 10));
  }

  /**
   * @param {string} id
   * @param {string} kind
   */
  #element(id, kind) {
    const media = this.#tiles.get(id)?.querySelector(kind) ?? null;
    return /** @type {HTMLMediaElement | null} */ (media);
  }
}
