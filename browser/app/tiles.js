/**
 * Who is where: the tiles of a conference, made from the Key Distributor's roster and from nothing
 * else.
 *
 * A receiving slot belongs to no tile until the Worker has authentic media of somebody; it then
 * moves to that member's tile, and only after the tile is labelled does the Worker let frames pass.
 */

/** @typedef {import("../media/messages.js").RosterMember} RosterMember */
/** @typedef {import("../media/messages.js").Speaker} Speaker */

/**
 * What shows tiles. Every call takes effect before it returns: a label stands before a picture
 * does.
 *
 * @typedef {object} TileView
 * @property {(id: string, member: RosterMember, whose: Whose) => void} show adds a tile, or labels
 *   it anew
 * @property {(id: string, isLagging: boolean) => void} mark whether a member has not confirmed the
 *   key in use
 * @property {(id: string) => void} remove
 * @property {(id: string, track: MediaStreamTrack) => void} attach
 * @property {(id: string, track: MediaStreamTrack) => void} detach
 * @property {(id: string, kind: string, rtpTimestamp: number) => void} play media flow from this
 *   frame on
 * @property {(id: string, kind: string) => void} pause
 * @property {() => void} clear removes every tile
 */

/** @typedef {"this page" | "this user" | "another user"} Whose a user may be there more than once */

/** @typedef {{ speaker: Speaker, track: MediaStreamTrack }} Assignment */

/**
 * Milliseconds that a key and its confirmation may be on their way before anybody is told: many
 * times the usual, so that a tile does not flicker at every change of keys.
 */
const CONFIRMATION_TIME = 3_000;

/** Keeps the tiles of one conference. */
export class Tiles {
  #media;
  #view;
  /** @type {Map<string, RosterMember>} */
  #members = new Map();
  /** @type {Map<number, Assignment>} by slot */
  #assignments = new Map();
  #spi = 0;
  /** @type {Map<string, number>} timers, by member that has not confirmed the key in use */
  #lagging = new Map();

  /**
   * @param {import("../media/connection.js").MediaConnection} media
   * @param {TileView} view
   */
  constructor(media, view) {
    this.#media = media;
    this.#view = view;
    this.#on("roster", (message) => this.#update(message));
    this.#on("key", ({ spi }) => {
      this.#spi = spi;
      this.#followKeys();
    });
    this.#on("speaker", ({ slot, speaker }) => this.#assign(slot, speaker));
    this.#on("released", ({ slot, rtpTimestamp }) => {
      const assignment = this.#assignments.get(slot);
      if (assignment === undefined) return;
      view.play(tileOf(assignment.speaker), assignment.track.kind, rtpTimestamp);
    });
    this.#on("quiet", ({ slot }) => {
      const assignment = this.#assignments.get(slot);
      if (assignment !== undefined) view.pause(tileOf(assignment.speaker), assignment.track.kind);
    });
  }

  /** The endpoint has left; its tiles are for the view to clear. */
  close() {
    for (const timer of this.#lagging.values()) clearTimeout(timer);
  }

  /** @param {{ you: string, members: RosterMember[] }} roster */
  #update({ you, members }) {
    const present = new Map(members.map((member) => [member.id, member]));
    for (const [slot, { speaker }] of this.#assignments) {
      if (!present.has(speaker.member)) this.#release(slot);
    }
    for (const id of this.#members.keys()) {
      if (!present.has(id)) this.#view.remove(id);
    }
    this.#members = present;
    const user = present.get(you)?.identity;
    for (const member of members) {
      const isUser = member.identity === user;
      const whose = member.id === you ? "this page" : isUser ? "this user" : "another user";
      this.#view.show(member.id, member, whose);
    }
    this.#followKeys();
  }

  /** Marks who has not confirmed the key in use, for some time. */
  #followKeys() {
    const lagging = new Set();
    for (const { id, spi } of this.#members.values()) if (spi !== this.#spi) lagging.add(id);
    for (const [id, timer] of this.#lagging) {
      if (lagging.has(id)) continue;
      clearTimeout(timer);
      this.#lagging.delete(id);
      this.#view.mark(id, false);
    }
    for (const id of lagging) {
      if (this.#lagging.has(id)) continue;
      const mark = () => this.#view.mark(id, true);
      this.#lagging.set(id, setTimeout(mark, CONFIRMATION_TIME));
    }
  }

  /**
   * @param {number} slot
   * @param {Speaker} speaker
   */
  #assign(slot, speaker) {
    const track = this.#media.trackOf(slot);
    if (track === null || !this.#members.has(speaker.member)) return;
    this.#release(slot);
    this.#assignments.set(slot, { speaker, track });
    this.#view.attach(tileOf(speaker), track);
    this.#media.post({ op: "bind", slot, speaker });
  }

  /** @param {number} slot */
  #release(slot) {
    const assignment = this.#assignments.get(slot);
    if (assignment === undefined) return;
    this.#view.detach(tileOf(assignment.speaker), assignment.track);
    this.#assignments.delete(slot);
  }

  /**
   * @template {import("../media/messages.js").WorkerMessage["op"]} Op
   * @param {Op} op
   * @param {(message: Extract<import("../media/messages.js").WorkerMessage, { op: Op }>) => void}
   *   listener
   */
  #on(op, listener) {
    this.#media.addEventListener(op, (event) =>
      listener(/** @type {CustomEvent} */ (event).detail),
    );
  }
}

/**
 * One tile for a member; a screen will be a tile of its own.
 *
 * @param {Speaker} speaker
 */
function tileOf(speaker) {
  return speaker.member;
}
