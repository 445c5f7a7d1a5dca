/**
 * The interfaces of the realm of an IdP proxy, in the shape that Web IDL gives them: RTCIdentityProviderGlobalScope,
 * RTCIdentityProviderRegistrar, and RTCError, which an IdP is to throw and which has no business in Workers.
 *
 * This function's text is part of the Worker's script (see sandbox.js), so it uses nothing outside itself.
 */
"use strict";

/** @typedef {{generateAssertion: Function, validateAssertion: Function}} RTCIdentityProvider */

/** @type {any} */ (globalThis).idpInterfaces = function idpInterfaces(
  /** @type {(idp: RTCIdentityProvider) => void} */ onregister,
) {
  class RTCIdentityProviderRegistrar {
    constructor() {
      throw new TypeError("Illegal constructor");
    }

    /** @param {any} idp */
    register(idp) {
      if (this !== registrar) throw new TypeError("Illegal invocation");
      if (!arguments.length) throw new TypeError("1 argument required, but only 0 present.");
      onregister({
        generateAssertion: callback(idp, "generateAssertion"),
        validateAssertion: callback(idp, "validateAssertion"),
      });
    }
  }
  Object.defineProperty(RTCIdentityProviderRegistrar.prototype, "register", { enumerable: true });

  /** The only one. @type {RTCIdentityProviderRegistrar} */
  const registrar = Object.create(RTCIdentityProviderRegistrar.prototype);

  class RTCIdentityProviderGlobalScope {
    constructor() {
      throw new TypeError("Illegal constructor");
    }

    /** The global itself cannot inherit from it: its prototype is immutable. @param {unknown} value */
    static [Symbol.hasInstance](value) {
      return value === self;
    }
  }
  Object.setPrototypeOf(RTCIdentityProviderGlobalScope, WorkerGlobalScope);
  Object.setPrototypeOf(RTCIdentityProviderGlobalScope.prototype, WorkerGlobalScope.prototype);

  /** A global's attributes are the object's own. */
  const attributes = {
    get rtcIdentityProvider() {
      /** @type {unknown} */
      const receiver = this ?? self;
      if (receiver !== self) throw new TypeError("Illegal invocation");
      return registrar;
    },
  };

  // Takes the older constructor's `new RTCError("idp-need-login")`, too.
  class RTCError extends DOMException {
    /**
     * @param {string | {errorDetail: string}} init
     * @param {string} [message]
     */
    constructor(init, message) {
      super(message, "OperationError");
      Object.assign(this, typeof init === "string" ? { errorDetail: init } : init);
    }
  }

  /**
   * A required member of a dictionary.
   *
   * @param {any} dictionary
   * @param {string} name
   * @returns {Function}
   */
  function callback(dictionary, name) {
    const value = Object(dictionary)[name];
    if (typeof value === "function") return value;
    throw new TypeError(`RTCIdentityProvider: ${name} is not a function.`);
  }

  Object.defineProperties(self, Object.getOwnPropertyDescriptors(attributes));
  for (const value of [RTCIdentityProviderGlobalScope, RTCIdentityProviderRegistrar, RTCError]) {
    const { name, prototype } = value;
    const tag = { value: name, configurable: true };
    Object.defineProperty(prototype, Symbol.toStringTag, tag);
    Object.defineProperty(self, name, { value, configurable: true, writable: true });
  }
  const tag = { value: "RTCIdentityProviderGlobalScope", configurable: true };
  Object.defineProperty(self, Symbol.toStringTag, tag);
};
