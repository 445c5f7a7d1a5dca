/**
 * Identity work for the Key Distributor's Worker, which has no document: the IdP proxies run in the page, and
 * what they say is relayed. What it is worth is decided in the Worker.
 */

import { IdpProxy } from "../identity/index.js";

/** The Key Distributor's own policy: a stalled IdP must not hold up a join for the 15 s that the shim allows. */
const TIME_LIMIT = 5_000;

/** @typedef {{provider: string, protocol: string, usernameHint?: string, peerIdentity?: string}} IdentityProvider */
/** @typedef {import("./messages.js").Validated} Validated */
/** @typedef {import("./messages.js").Asserted} Asserted */

/** The members of an IdP proxy's error that the page can see (W3C webrtc-identity). */
export class IdentityErrors {
  /** @type {string | null} */
  loginUrl = null;

  /** @type {string | null} */
  info = null;

  /** @param {any} error */
  note(error) {
    this.loginUrl = error?.idpLoginUrl ?? null;
    this.info = error?.idpErrorInfo ?? null;
  }

  /**
   * Where to sign in stays: at a peer's provider this user has no account, and no business.
   *
   * @param {any} error of a peer's identity provider
   */
  notePeer(error) {
    this.info = error?.idpErrorInfo ?? null;
  }
}

/**
 * Loads an IdP proxy and lets it work, both within the limit.
 *
 * @template T
 * @param {{domain: string, protocol: string, onstep: (step: string) => void}} provider
 * @param {(proxy: IdpProxy) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withProxy({ domain, protocol, onstep }, work) {
  const signal = AbortSignal.timeout(TIME_LIMIT);
  const proxy = await IdpProxy.load(domain, protocol, { signal, onstep });
  try {
    return await work(proxy);
  } finally {
    proxy.close();
  }
}

/**
 * @param {{domain: string, protocol: string, assertion: string}} request
 * @param {(step: string) => void} onstep
 * @returns {Promise<{identity: string, contents: string}>}
 */
export function validate({ domain, protocol, assertion }, onstep) {
  return withProxy({ domain, protocol, onstep }, (proxy) => proxy.validateAssertion(assertion));
}

/**
 * @param {IdentityProvider} own
 * @param {string} contents
 * @param {(step: string) => void} onstep
 * @returns {Promise<{domain: string, protocol: string, assertion: string}>}
 */
export async function sign({ provider: domain, ...options }, contents, onstep) {
  const { idp, assertion } = await withProxy(
    { domain, protocol: options.protocol, onstep },
    (proxy) => proxy.generateAssertion(contents, options),
  );
  return { domain: idp.domain, protocol: idp.protocol ?? options.protocol, assertion };
}

/**
 * @param {any} error
 * @returns {{message: string, errorDetail?: string}}
 */
export function describeFailure(error) {
  const message = String(error?.message ?? error);
  return error?.errorDetail ? { message, errorDetail: error.errorDetail } : { message };
}
