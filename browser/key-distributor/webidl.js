/** The conversions and shapes of Web IDL that the interfaces of this folder need. */

export { eventHandler } from "../identity/webidl.js";

/**
 * Which object stands behind an interface's instance: its internal slots, out of the page's reach.
 *
 * @template T
 */
export class Implementations {
  /** @type {WeakMap<object, T>} */
  #behind = new WeakMap();

  /**
   * @param {object} instance
   * @param {T} implementation
   */
  set(instance, implementation) {
    this.#behind.set(instance, implementation);
  }

  /**
   * @param {object} instance
   * @returns {T} throws a TypeError for any other object: the brand check
   */
  of(instance) {
    const implementation = this.#behind.get(instance);
    if (implementation === undefined) throw new TypeError("Illegal invocation");
    return implementation;
  }
}

/**
 * @param {number} given
 * @param {number} required
 */
export function checkArguments(given, required) {
  if (given < required) {
    throw new TypeError(`${required} arguments required, but only ${given} present.`);
  }
}

/**
 * @param {unknown} value
 * @returns {string}
 */
export function toDOMString(value) {
  return `${/** @type {string} */ (value)}`; // unlike String(), refuses a Symbol
}

/**
 * As with [EnforceRange]: what is not a port number must not become another one.
 *
 * @param {unknown} value
 * @returns {number}
 */
export function toUnsignedShort(value) {
  const number = Math.trunc(Number(value));
  if (!(number >= 0 && number <= 0xffff)) {
    throw new TypeError(`${toDOMString(value)} is not in the range of an unsigned short.`);
  }
  return number + 0; // no negative zero
}

/**
 * Gives an interface the property attributes that Web IDL wants: members are enumerable, and the name is a tag.
 *
 * @param {Function} constructor
 * @param {string} [name]
 */
export function finishInterface(constructor, name = constructor.name) {
  const { prototype } = constructor;
  for (const [member, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (member !== "constructor" && descriptor.configurable) {
      Object.defineProperty(prototype, member, { ...descriptor, enumerable: true });
    }
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { configurable: true, value: name });
}
