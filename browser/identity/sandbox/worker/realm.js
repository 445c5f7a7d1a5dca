/**
 * The realm of an IdP proxy in a Worker of an opaque origin: RTCIdentityProviderGlobalScope, as far as a script can make
 * it. This function's text is the Worker's script (see sandbox.js), so it uses nothing outside itself.
 */
"use strict";

/**
 * @typedef {{generateAssertion: Function, validateAssertion: Function}} RTCIdentityProvider
 * @typedef {{id: number, op: string, contents?: string, options?: object, assertion?: string}} Request
 */

/** @type {any} */ (globalThis).idpRealm = function idpRealm(
  /** @type {{uri: string, asking: string}} */ { uri, asking },
) {
  /** @type {RTCIdentityProvider | undefined} */
  let identityProvider;

  // The specification wants an RTCError from an IdP and exposes the interface to windows only. Takes the older
  // constructor's `new RTCError("idp-need-login")`, too.
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

  class RTCIdentityProviderRegistrar {
    /** @param {any} idp */
    register(idp) {
      const { generateAssertion, validateAssertion } = Object(idp);
      if (typeof generateAssertion !== "function" || typeof validateAssertion !== "function") {
        throw new TypeError("not an RTCIdentityProvider");
      }
      identityProvider ??= { generateAssertion, validateAssertion };
    }

    get [Symbol.toStringTag]() {
      return "RTCIdentityProviderRegistrar";
    }
  }

  // "a JavaScript realm that operates in the origin of the loaded JavaScript": told to the script, not given to it.
  // The members are its own, as those of a window's location are, so that JSON shows them.
  const url = new URL(uri);
  const { href, origin, protocol, host, hostname, port: urlPort, pathname, search, hash } = url;
  const location = {
    href,
    origin,
    protocol,
    host,
    hostname,
    port: urlPort,
    pathname,
    search,
    hash,
  };
  Object.defineProperty(location, "toString", { value: () => href });
  const members = {
    rtcIdentityProvider: new RTCIdentityProviderRegistrar(),
    location: Object.freeze(location),
    origin,
    RTCError,
    RTCIdentityProviderRegistrar,
  };
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(self, name, { value, configurable: true, enumerable: true });
  }

  /** @param {MessageEvent} event the first message, which brings the port and nothing else */
  self.onmessage = (event) => {
    self.onmessage = null;
    start(event.ports[0]);
  };

  /** @param {MessagePort} port */
  function start(port) {
    try {
      importScripts(uri);
    } catch (error) {
      port.postMessage({ type: "failed", loaded: true, reason: String(error) });
      return;
    }
    if (!identityProvider) {
      port.postMessage({ type: "failed", loaded: true, reason: "the IdP proxy did not register" });
      return;
    }
    port.onmessage = async ({ data }) => port.postMessage(await answer(data));
    port.postMessage({ type: "ready", registered: true });
  }

  /** @param {Request} request */
  async function answer({ id, op, contents, options, assertion }) {
    try {
      const result =
        op === "generateAssertion"
          ? await identityProvider?.generateAssertion(contents, asking, options)
          : await identityProvider?.validateAssertion(assertion, asking);
      return { id, result: plain(result) };
    } catch (error) {
      const { name, message, errorDetail, idpErrorInfo, idpLoginUrl, loginUrl } = Object(error);
      const url = idpLoginUrl ?? loginUrl;
      return {
        id,
        error: plain({ name, message, errorDetail, errorInfo: idpErrorInfo, loginUrl: url }),
      };
    }
  }

  /** @param {unknown} value as it can be posted */
  function plain(value) {
    return JSON.parse(JSON.stringify(value ?? null));
  }
};
