/** How the page says that an identity is verified: when, and by whom. */

/**
 * @param {string} identity `name@idp`: an identity provider vouches for names of its own domain only
 * @param {number} verifiedAt milliseconds since the epoch
 */
export function verified(identity, verifiedAt) {
  const time = new Date(verifiedAt).toLocaleTimeString([], { timeStyle: "short" });
  return `verified ${time} by ${identity.slice(identity.lastIndexOf("@") + 1)}`;
}
