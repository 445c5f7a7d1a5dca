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
 * An event handler attribute of the HTML Standard, for `type`.
 *
 * @param {string} type
 * @param {(target: any) => void} [brandCheck] throws a TypeError for what is no instance of the interface
 * @returns {PropertyDescriptor}
 */
export function eventHandler(type, brandCheck = checkEventTarget) {
  /** @typedef {{callback: Function | object | null}} Handler */
  /** @type {WeakMap<EventTarget, Handler>} */
  const handlers = new WeakMap();
  const name = `on${type}`;
  const attribute = {
    /** @returns {any} */
    get [name]() {
      brandCheck(this);
      return handlers.get(/** @type {any} */ (this))?.callback ?? null;
    },
    set [name](/** @type {any} */ value) {
      brandCheck(this);
      const target = /** @type {any} */ (this);
      const callback = typeof value === "function" || typeof value === "object" ? value : null;
      const known = handlers.get(target);
      if (known) {
        known.callback = callback; // keeps its place among the listeners
        return;
      }
      const handler = { callback };
      handlers.set(target, handler);
      target.addEventListener(type, (/** @type {Event} */ event) => {
        if (typeof handler.callback === "function") handler.callback.call(target, event);
      });
    },
  };
  const { get, set } = /** @type {PropertyDescriptor} */ (
    Object.getOwnPropertyDescriptor(attribute, name)
  );
  return { get, set, configurable: true, enumerable: true };
}

/** @param {EventTarget} target */
function checkEventTarget(target) {
  EventTarget.prototype.removeEventListener.call(target, "", null);
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
