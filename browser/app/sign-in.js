/**
 * Who the user is, by an identity provider of their choice.
 *
 * The page asks the provider for an assertion and validates it: the name is then the provider's
 * word, and the same session will sign for the RTCPeerConnection and the RTCKeyDistributor.
 */

import { IdpProxy, login } from "../identity/index.js";

const PROTOCOL = "default";

/** The user has to sign in first, at `url`. */
export class LoginNeeded extends Error {
  /** @override */
  name = "LoginNeeded";

  /** @param {string} url */
  constructor(url) {
    super("the identity provider asks the user to sign in");
    this.url = url;
  }
}

/**
 * The user's identity, `name@idp`.
 *
 * @param {string} domain of the identity provider
 * @returns {Promise<string>}
 * @throws {LoginNeeded}
 */
export async function currentIdentity(domain) {
  try {
    const proxy = await IdpProxy.load(domain, PROTOCOL);
    // Bound to no fingerprint, so that no conference accepts it.
    const contents = JSON.stringify({ purpose: "sign-in" });
    const { assertion } = await proxy.generateAssertion(contents, { protocol: PROTOCOL });
    return (await proxy.validateAssertion(assertion)).identity;
  } catch (error) {
    const { idpLoginUrl } = /** @type {{ idpLoginUrl?: string | null }} */ (error);
    throw idpLoginUrl ? new LoginNeeded(idpLoginUrl) : error;
  }
}

/**
 * Signs in at the provider's own window; to be called on a click.
 *
 * @param {string} domain
 * @param {string} url of LoginNeeded
 */
export async function signIn(domain, url) {
  await login(url);
  return currentIdentity(domain);
}
