/**
 * Runs the IdP proxy under this provider's own origin, inside the page that asks, and speaks for it with that page.
 *
 * What it guards: the asking origin that the proxy is told is the one that the browser attests (`event.origin`), and a
 * login code is taken only from this provider's own window, and only if it answers this frame's own challenge.
 */
"use strict";

(() => {
  const MAX_ERROR_TEXT = 1000;
  const MAX_SIGN_INS = 16; // under way at once; the oldest is forgotten

  /** @type {{generateAssertion: Function, validateAssertion: Function} | undefined} */
  let identityProvider;

  // In the shape of Web IDL. RTCIdentityProviderGlobalScope is not there: it is a Worker's, this global is a Window.
  class RTCIdentityProviderRegistrar {
    constructor() {
      throw new TypeError("Illegal constructor");
    }

    register(idp) {
      if (this !== registrar) throw new TypeError("Illegal invocation");
      const generateAssertion = callback(idp, "generateAssertion");
      const validateAssertion = callback(idp, "validateAssertion");
      identityProvider ??= { generateAssertion, validateAssertion };
    }

    static {
      Object.defineProperty(this.prototype, "register", { enumerable: true });
      const tag = { value: this.name, configurable: true };
      Object.defineProperty(this.prototype, Symbol.toStringTag, tag);
    }
  }

  function callback(dictionary, name) {
    const value = Object(dictionary)[name];
    if (typeof value === "function") return value;
    throw new TypeError(`RTCIdentityProvider: ${name} is not a function.`);
  }

  const registrar = Object.create(RTCIdentityProviderRegistrar.prototype);
  Object.defineProperty(globalThis, "RTCIdentityProviderRegistrar", {
    value: RTCIdentityProviderRegistrar,
    configurable: true,
    writable: true,
  });
  Object.defineProperty(globalThis, "rtcIdentityProvider", {
    get: () => registrar,
    configurable: true,
    enumerable: true,
  });

  /** Secrets of sign-ins under way, by challenge (as in RFC 7636): a code is of use to this very frame alone. */
  const signIns = new Map();

  addEventListener("message", (event) => {
    const { data, origin, source, ports } = event;
    if (data?.type === "perc-idp-connect" && source === window.parent && source !== window) {
      // "null" is every opaque origin's name, and so nobody's.
      if (origin !== "null" && ports.length === 1) connect(ports[0], origin);
    } else if (data?.type === "perc-idp-code" && origin === location.origin) {
      redeem(data, source);
    }
  });

  function connect(port, asking) {
    port.onmessage = async ({ data }) => port.postMessage(await answer(data, asking));
    port.postMessage({ type: "ready", registered: identityProvider !== undefined });
  }

  async function answer({ id, op, contents, options, assertion }, asking) {
    try {
      const { generateAssertion, validateAssertion } = identityProvider;
      if (op === "generateAssertion") {
        return { id, result: await generateAssertion(contents, asking, options) };
      }
      if (op === "validateAssertion") {
        return { id, result: await validateAssertion(assertion, asking) };
      }
      throw new TypeError("not an operation of an identity provider");
    } catch (error) {
      return { id, error: await describe(error, asking) };
    }
  }

  async function describe(error, asking) {
    const { name, message, errorDetail, idpErrorInfo, idpLoginUrl } = Object(error);
    const loginUrl = idpLoginUrl && (await withChallenge(idpLoginUrl, asking));
    const text = [name, message, errorDetail, idpErrorInfo].map((value) =>
      value === undefined ? undefined : String(value).slice(0, MAX_ERROR_TEXT),
    );
    return { name: text[0], message: text[1], errorDetail: text[2], errorInfo: text[3], loginUrl };
  }

  async function withChallenge(loginUrl, asking) {
    const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
    const challenge = base64url(await sha256(verifier));
    signIns.set(challenge, { verifier, asking });
    const [oldest] = signIns.keys();
    if (signIns.size > MAX_SIGN_INS) signIns.delete(oldest);
    const url = new URL(loginUrl);
    url.searchParams.set("challenge", challenge);
    return url.href;
  }

  async function redeem({ code, challenge }, popup) {
    const signIn = signIns.get(challenge);
    if (!signIn) return; // another frame's, or already used
    signIns.delete(challenge);
    const response = await fetch("/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code, verifier: signIn.verifier, origin: signIn.asking }),
    });
    popup?.postMessage(
      { type: "perc-idp-session", challenge, opened: response.ok },
      location.origin,
    );
  }

  async function sha256(text) {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  }

  function base64url(bytes) {
    return btoa(String.fromCharCode(...bytes))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  }
})();
