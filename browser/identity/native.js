/** The browser's own RTCPeerConnection, as it was before the shim. */

/** @typedef {Record<string, (this: RTCPeerConnection, ...rest: any[]) => any>} Members */

/** @type {Members} */
const members = {};

/** @param {object} prototype RTCPeerConnection's */
export function rememberNative(prototype) {
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    const member = descriptor.get ?? descriptor.value;
    if (typeof member === "function") members[name] = member;
  }
}

/** @returns {boolean} whether the shim is there: false where the browser has identity of its own */
export function isInstalled() {
  return Object.keys(members).length > 0;
}

/**
 * Calls a method of the browser's, or reads an attribute.
 *
 * @param {RTCPeerConnection} connection throws a TypeError for any other object: the brand check
 * @param {string} member
 * @param {unknown[]} rest
 * @returns {any}
 */
export function native(connection, member, ...rest) {
  return Reflect.apply(members[member], connection, rest);
}
