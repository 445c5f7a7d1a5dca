/** `setAdmissionPolicy`'s dictionary: who may join without being asked about, and what is done about everyone else. */

import { dictionary, optionalString } from "../identity/webidl.js";
import { toDOMString } from "./webidl.js";

/** @typedef {import("./messages.js").AdmissionPolicy} AdmissionPolicy */

const DECISIONS = /** @type {const} */ (["admit", "ask", "refuse"]);

/** As many as the Key Distributor takes. */
const MAX_GUESTS = 10_000;

/**
 * The entry as identities are written, with the host in lower case: `name@host`, or `@host` for everyone whom its
 * provider vouches for.
 *
 * @param {string} entry
 * @returns {string | null} null for what no identity can match
 */
export function readGuest(entry) {
  // Hosts are A-labels, as in identities (RFC 8827, Section 8.1), and have no port.
  const [, name, host] = /^([^@\p{C}\p{Z}]*)@([a-zA-Z0-9.-]+)$/u.exec(entry) ?? [];
  return host === undefined ? null : `${name}@${host.toLowerCase()}`;
}

/**
 * @param {unknown} value `{ admit: sequence<DOMString> = [], others: "admit" | "ask" | "refuse" = "ask" }`
 * @returns {AdmissionPolicy}
 */
export function toAdmissionPolicy(value) {
  const members = dictionary(value);
  const { admit: list = [] } = members;
  if (typeof list !== "object" || list === null || !(Symbol.iterator in list)) {
    throw new TypeError("admit is not a sequence.");
  }
  const entries = Array.from(/** @type {Iterable<unknown>} */ (list), toDOMString);
  const others = optionalString(members, "others") ?? "ask";
  const decision = DECISIONS.find((name) => name === others);
  if (decision === undefined) throw new TypeError(`${others} is no value of others.`);
  if (entries.length > MAX_GUESTS)
    throw new TypeError(`admit has more than ${MAX_GUESTS} entries.`);
  return { admit: entries.map(toGuest), others: decision };
}

/** @param {string} entry */
function toGuest(entry) {
  const guest = readGuest(entry);
  if (guest === null) {
    throw new DOMException(`"${entry}" is neither name@host nor @host`, "SyntaxError");
  }
  return guest;
}
