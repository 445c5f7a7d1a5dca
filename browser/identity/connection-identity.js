/** The internal slots that webrtc-identity adds to an RTCPeerConnection. */

/** @typedef {import("./rtc-identity-assertion.js").RTCIdentityAssertion} RTCIdentityAssertion */
/** @typedef {import("./idp-proxy.js").RTCIdentityProviderOptions} RTCIdentityProviderOptions */
/** @typedef {{conference: string, onstep?: (step: string) => void}} Binding */
/** @typedef {{domain: string, protocol: string, options: RTCIdentityProviderOptions}} IdentityProvider */

const REMEMBERED = 8; // descriptions of each side whose a=identity is kept: pending, current, and a few created

export class ConnectionIdentity {
  /** @type {IdentityProvider | null} */
  #provider = null;

  /** The target peer identity. @type {string | null} */
  target = null;

  /** `peerIdentity` of RTCConfiguration. @type {string | undefined} */
  configured;

  /** @type {Binding | null} */
  #binding = null;

  /** @type {string | null} */
  loginUrl = null;

  /** @type {string | null} */
  errorInfo = null;

  /**
   * Stored assertions (a=identity values), requested or there, by contents. Another Map takes its place when another
   * provider does, so that a request can tell whether it is still of interest.
   *
   * @type {Map<string, Promise<string>>}
   */
  assertions = new Map();

  /** @type {PromiseWithResolvers<RTCIdentityAssertion>} */
  #peer = quiet();

  /** a=identity values by the o= line that they stand below: browsers do not keep them. @type {Map<string, string>} */
  #attributes = new Map();

  /** @type {Promise<unknown>} */
  #operations = Promise.resolve();

  /** @type {Promise<unknown>} */
  #validations = Promise.resolve();

  get provider() {
    return this.#provider;
  }

  set provider(provider) {
    // "If any identity provider value has changed, discard any stored identity assertion."
    if (JSON.stringify(provider) !== JSON.stringify(this.#provider)) this.assertions = new Map();
    this.#provider = provider;
  }

  get binding() {
    return this.#binding;
  }

  set binding(binding) {
    this.assertions = new Map();
    this.#binding = binding;
  }

  /** Whether identity plays a part in this connection at all; if not, the browser is left alone. */
  get engaged() {
    return this.provider !== null || this.target !== null || this.binding !== null;
  }

  get peerIdentity() {
    return this.#peer.promise;
  }

  /** @param {RTCIdentityAssertion} assertion */
  validated(assertion) {
    this.#peer.resolve(assertion);
    // "if the peerIdentity promise is resolved, then this also establishes a target peer identity"
    this.target ??= assertion.name;
  }

  /** @param {unknown} error */
  rejected(error) {
    this.#peer.reject(error);
    // "Then, if there is no target peer identity, set peerIdentity to a new unresolved promise."
    if (this.target === null) this.#peer = quiet();
  }

  /** @param {{idpLoginUrl?: string | null, idpErrorInfo?: string | null}} error */
  note({ idpLoginUrl = null, idpErrorInfo = null }) {
    this.loginUrl = idpLoginUrl;
    this.errorInfo = idpErrorInfo;
  }

  /**
   * The connection's operations chain, which what waits for an IdP has to hold up as any other operation does.
   *
   * @template T
   * @param {() => Promise<T>} operation
   * @returns {Promise<T>}
   */
  chain(operation) {
    const run = this.#operations.then(operation);
    this.#operations = run.catch(() => {});
    return run;
  }

  /**
   * "Only one identity validation can run at a time for an RTCPeerConnection."
   *
   * @template T
   * @param {() => Promise<T>} validation
   * @returns {Promise<T>}
   */
  afterPriorValidation(validation) {
    const run = this.#validations.then(validation);
    this.#validations = run.catch(() => {});
    return run;
  }

  /**
   * @param {string} origin the o= line
   * @param {string} value
   */
  remember(origin, value) {
    this.#attributes.delete(origin);
    this.#attributes.set(origin, value);
    const [oldest] = this.#attributes.keys();
    if (this.#attributes.size > 2 * REMEMBERED) this.#attributes.delete(oldest);
  }

  /** @param {string} origin */
  recall(origin) {
    return this.#attributes.get(origin);
  }
}

/** @type {WeakMap<RTCPeerConnection, ConnectionIdentity>} */
const identities = new WeakMap();

/**
 * @param {RTCPeerConnection} connection
 * @returns {ConnectionIdentity}
 */
export function identityOf(connection) {
  const known = identities.get(connection);
  if (known) return known;
  const identity = new ConnectionIdentity();
  identities.set(connection, identity);
  return identity;
}

/** @returns {PromiseWithResolvers<RTCIdentityAssertion>} whose rejection nobody need be interested in */
function quiet() {
  const capability = Promise.withResolvers();
  capability.promise.catch(() => {});
  return capability;
}
