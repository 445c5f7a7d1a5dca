/** Since when, and by whom, an identity is verified: it is said of every identity on the page. */

/**
 * @param {string} identity `name@idp`: an identity provider vouches for names of its own domain only
 * @param {number} verifiedAt milliseconds since the epoch
 */
export function whenAndByWhom(identity, verifiedAt) {
  const time = new Date(verifiedAt).toLocaleTimeString([], { timeStyle: "short" });
  return `${time} by ${identity.slice(identity.lastIndexOf("@") + 1)}`;
}
