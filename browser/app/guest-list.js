/** The host's guest list as they write it: names and providers, on lines or separated by commas. */

import { readGuest } from "../key-distributor/admission-policy.js";

/**
 * @typedef {object} GuestList
 * @property {string[]} guests `name@idp`, or `@idp` for everyone whom it vouches for
 * @property {string[]} unreadable what is neither
 */

/**
 * @param {string} text
 * @returns {GuestList}
 */
export function readGuestList(text) {
  const entries = text.split(/[\s,;]+/).filter((entry) => entry !== "");
  const read = entries.map((entry) => ({ entry, guest: readGuest(entry) }));
  const guests = read.flatMap(({ guest }) => guest ?? []);
  return {
    guests: [...new Set(guests)],
    unreadable: read.filter(({ guest }) => guest === null).map(({ entry }) => entry),
  };
}
