/* global rtcIdentityProvider */
/**
 * The IdP proxy (RFC 8827, Section 7.4; W3C webrtc-identity): assertions are made by the provider for the user of this
 * browser's session, and validated with the public keys below, without asking anyone.
 */
"use strict";

(() => {
  /** @type {{origin: string, domain: string, keys: (JsonWebKey & {kid: string})[]}} */
  const provider = "{{configuration}}";
  const CLOCK_TOLERANCE = 60; // seconds by which a relying party's clock may be behind
  const CURVE = { name: "ECDSA", namedCurve: "P-256" };

  rtcIdentityProvider.register({ generateAssertion, validateAssertion });

  async function generateAssertion(contents, origin, options = {}) {
    const { usernameHint } = options;
    const response = await fetch(`${provider.origin}/sign`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ contents, origin, usernameHint }),
    });
    if (response.status === 401) throw needLogin(origin, usernameHint);
    if (!response.ok) throw failure("idp-execution-failure", `/sign answered ${response.status}`);
    const { assertion } = await response.json();
    return { idp: { domain: provider.domain, protocol: "default" }, assertion };
  }

  async function validateAssertion(assertion) {
    const [header, payload, signature, ...rest] = assertion.split(".");
    if (signature === undefined || rest.length) throw invalid("not a compact JWS");
    const key = await publicKey(readJson(header));
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    const genuine = await crypto.subtle.verify(algorithm, key, readBytes(signature), signed);
    if (!genuine) throw invalid("the signature is wrong");
    const { contents, identity, iss, iat, exp } = readJson(payload);
    if (iss !== provider.domain) throw invalid("another provider's assertion");
    const now = Date.now() / 1000;
    if (iat > now + CLOCK_TOLERANCE) throw invalid("from the future");
    if (exp < now) throw failure("idp-token-expired", "the assertion has expired");
    return { identity, contents };
  }

  function publicKey({ alg, kid, typ }) {
    // The algorithm is fixed; the header may name it, not choose it (RFC 8725, Section 3.1).
    if (alg !== "ES256" || typ !== "webrtc-identity+jws") throw invalid("not this provider's kind");
    const jwk = provider.keys.find((candidate) => candidate.kid === kid);
    if (!jwk) throw invalid("signed with a key that is not, or no longer, in use");
    return crypto.subtle.importKey("jwk", jwk, CURVE, false, ["verify"]);
  }

  function readBytes(base64url) {
    try {
      const base64 = base64url.replaceAll("-", "+").replaceAll("_", "/");
      return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    } catch {
      throw invalid("not base64url");
    }
  }

  function readJson(base64url) {
    const bytes = readBytes(base64url);
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      throw invalid("not JSON");
    }
  }

  function needLogin(origin, username = "") {
    const error = failure("idp-need-login", "sign-in needed");
    error.idpLoginUrl = `${provider.origin}/login?${new URLSearchParams({ origin, username })}`;
    error.loginUrl = error.idpLoginUrl; // the older draft's name, which Firefox knows
    return error;
  }

  function invalid(reason) {
    return failure("idp-token-invalid", reason);
  }

  /** An error with the members that a user agent looks for; a realm for proxies may have no RTCError. */
  function failure(errorDetail, message) {
    return Object.assign(new Error(message), { name: "OperationError", errorDetail });
  }
})();
