/** The conversions of Web IDL that the shim needs. */

/**
 * @param {unknown} value
 * @returns {Record<string, unknown>}
 */
export function dictionary(value) {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" && typeof value !== "function") {
    throw new TypeError("The value is not a dictionary.");
  }
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * @param {Record<string, unknown>} members
 * @param {string} name
 * @returns {string | undefined} undefined where the member is absent
 */
export function optionalString(members, name) {
  const value = members[name];
  return value === undefined ? undefined : `${/** @type {string} */ (value)}`;
}

/**
 * RTCPeerConnection's methods from before promises: `method(…, success, failure)`.
 *
 * @template T
 * @param {any[]} args the arguments that may be callbacks; if they are none, the first is the operation's own
 * @param {(argument?: any) => Promise<T>} operation
 * @returns {Promise<T | undefined>}
 */
export function withLegacyCallbacks(args, operation) {
  const [success, failure, argument] = args;
  if (typeof success !== "function") return attempt(operation, success);
  return attempt(operation, argument).then(
    (result) => void success(result),
    (error) => void failure?.(error),
  );
}

/**
 * @template T
 * @param {(argument?: any) => Promise<T>} operation
 * @param {any} argument
 */
async function attempt(operation, argument) {
  return operation(argument);
}

/**
 * Defines members as those of an interface are: enumerable, and with the property attributes of Web IDL.
 *
 * @param {object} prototype
 * @param {Record<string, PropertyDescriptor>} descriptors
 */
export function defineMembers(prototype, descriptors) {
  for (const [name, descriptor] of Object.entries(descriptors)) {
    Object.defineProperty(prototype, name, { ...descriptor, configurable: true, enumerable: true });
  }
}
