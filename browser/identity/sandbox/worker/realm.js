/**
 * The realm of an IdP proxy in a Worker of an opaque origin: loads the IdP's script and answers for it. This function's
 * text is part of the Worker's script (see sandbox.js), so it uses nothing outside itself.
 */
"use strict";

/** @typedef {{generateAssertion: Function, validateAssertion: Function}} RTCIdentityProvider */
/** @typedef {{id: number, op: string, contents?: string, options?: object, assertion?: string}} Request */
/** @typedef {(onregister: (idp: RTCIdentityProvider) => void) => void} Interfaces defines them */

/** @type {any} */ (globalThis).idpRealm = function idpRealm(
  /** @type {{uri: string, asking: string}} */ { uri, asking },
  /** @type {Interfaces} */ interfaces,
) {
  /** @type {RTCIdentityProvider | undefined} */
  let identityProvider;
  interfaces((idp) => {
    identityProvider ??= idp;
  });

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
  const members = { location: Object.freeze(location), origin };
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
    const idp = identityProvider;
    if (!idp) {
      port.postMessage({ type: "failed", loaded: true, reason: "the IdP proxy did not register" });
      return;
    }
    port.onmessage = async ({ data }) => port.postMessage(await answer(idp, data));
    port.postMessage({ type: "ready", registered: true });
  }

  /**
   * @param {RTCIdentityProvider} idp
   * @param {Request} request
   */
  async function answer(
    { generateAssertion, validateAssertion },
    { id, op, contents, options, assertion },
  ) {
    try {
      const result =
        op === "generateAssertion"
          ? await generateAssertion(contents, asking, options)
          : await validateAssertion(assertion, asking);
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
