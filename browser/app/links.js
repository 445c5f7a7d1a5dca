/**
 * Links to a room: `/perc/{room}#owner=name@idp` to join, `/perc/{room}#host` to open one.
 *
 * The owner stands in the fragment, which never reaches the server: it could otherwise name
 * another.
 */

const ROOM = /^[A-Za-z0-9_-]{1,64}$/;
/** What the server itself answers to under /perc/. */
const NO_ROOMS = ["end", "events", "leave", "offer"];
const MAXIMUM_IDENTITY = 1024;

/**
 * @typedef {object} RoomLink
 * @property {string} room
 * @property {boolean} isHost whether this page is to open the room
 * @property {string | null} owner whom the link names; null if it names nobody
 */

/**
 * @param {Pick<Location, "pathname" | "hash">} location
 * @returns {RoomLink | null} null for the landing page
 */
export function readLink({ pathname, hash }) {
  const room = /^\/perc\/([^/]+)$/.exec(pathname)?.[1];
  if (room === undefined || !isRoomName(room)) return null;
  const fragment = new URLSearchParams(hash.slice(1));
  const owner = fragment.get("owner");
  const isIdentity =
    owner !== null && owner.length <= MAXIMUM_IDENTITY && /^[^@\s]+@[^@\s]+$/.test(owner);
  return { room, isHost: fragment.has("host"), owner: isIdentity ? owner : null };
}

/** @param {string} name */
export function isRoomName(name) {
  return roomNameProblem(name) === "";
}

/**
 * @param {string} name
 * @returns {string} what is wrong with it, if anything
 */
export function roomNameProblem(name) {
  if (!ROOM.test(name)) return "Use 1 to 64 letters, digits, - or _.";
  return NO_ROOMS.includes(name) ? "This name is the server’s own." : "";
}

/** @param {string} room */
export function hostLink(room) {
  return `/perc/${room}#host`;
}

/**
 * @param {string} room
 * @param {string} owner
 */
export function joinLink(room, owner) {
  const readable = encodeURIComponent(owner).replaceAll("%40", "@");
  return `${location.origin}/perc/${room}#owner=${readable}`;
}

/** A name that nobody guesses. */
export function newRoomName() {
  const letters = "abcdefghijkmnpqrstuvwxyz23456789"; // 32, without those that look alike
  const octets = crypto.getRandomValues(new Uint8Array(12));
  const name = Array.from(octets, (octet) => letters[octet % letters.length]).join("");
  return name.replace(/(.{4})(?=.)/g, "$1-");
}

/**
 * The room of something that a user pasted: a link, or a bare name.
 *
 * @param {string} text
 * @returns {string | null} where to go
 */
export function readPastedLink(text) {
  const trimmed = text.trim();
  if (isRoomName(trimmed)) return `/perc/${trimmed}`;
  if (!URL.canParse(trimmed)) return null;
  const url = new URL(trimmed);
  if (url.origin !== location.origin || readLink(url) === null) return null;
  return url.pathname + url.hash;
}
