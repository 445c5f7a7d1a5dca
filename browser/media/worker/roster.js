/**
 * Who may send which SSRC: the Key Distributor's roster, which alone names a tile.
 */

import { DecodeError, hexadecimal } from "./wire.js";
import { AUDIO } from "./key-channel-messages.js";

/** @typedef {import("../messages.js").RosterMember} RosterMember */
/** @typedef {import("../messages.js").AnnouncedSource} AnnouncedSource */

/** The newest roster, by SSRC. */
export class Roster {
  /** @type {Map<number, { member: RosterMember, source: AnnouncedSource }>} */
  #bySsrc = new Map();
  /** @type {Map<string, RosterMember>} */
  #byId = new Map();

  version = -1;
  you = "";
  /** How many endpoints have ever come: it grows when somebody joins, never when one leaves. */
  arrivals = 0;

  /**
   * @param {import("./key-channel-messages.js").RosterMessage} message
   * @throws {DecodeError} a roster that is older than the one before, or lists an SSRC twice
   */
  update(message) {
    // The same one may come again: to somebody who waited for a key, or claimed another's SSRC.
    if (message.version < this.version) throw new DecodeError("the roster's version falls");
    const members = message.members.map(describe);
    const bySsrc = new Map();
    for (const member of members) {
      for (const source of member.sources) {
        if (bySsrc.has(source.ssrc)) throw new DecodeError("an SSRC has two owners");
        bySsrc.set(source.ssrc, { member, source });
      }
    }
    this.arrivals += members.filter(({ id }) => !this.#byId.has(id)).length;
    this.#byId = new Map(members.map((member) => [member.id, member]));
    this.#bySsrc = bySsrc;
    this.version = message.version;
    this.you = hexadecimal(message.you);
  }

  get members() {
    return [...this.#byId.values()];
  }

  get own() {
    return this.#byId.get(this.you) ?? null;
  }

  /** @param {string} id of a member */
  has(id) {
    return this.#byId.has(id);
  }

  /** @param {number} ssrc */
  ownerOf(ssrc) {
    return this.#bySsrc.get(ssrc) ?? null;
  }

  /** @param {number} ssrc */
  isMine(ssrc) {
    return this.#bySsrc.get(ssrc)?.member.id === this.you;
  }
}

/**
 * @param {import("./key-channel-messages.js").Member} member
 * @returns {RosterMember}
 */
function describe({ id, identity, verifiedAt, spi, sources }) {
  return {
    id: hexadecimal(id),
    identity,
    verifiedAt,
    spi,
    sources: sources.map(({ ssrc, kind, source }) => ({
      ssrc,
      kind: kind === AUDIO ? "audio" : "video",
      origin: source === 0 ? "camera" : "screen",
    })),
  };
}
