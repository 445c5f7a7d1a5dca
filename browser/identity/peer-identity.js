/** The promise attribute `peerIdentity` of W3C webrtc-identity, for an object that meets many peers. */

/** @typedef {{idp: string, name: string}} RTCIdentityAssertion */

/**
 * "A promise that resolves with the identity of the peer if the identity is successfully validated. … If the
 * promise is rejected, a new unresolved value is created … If this promise successfully resolves, the value
 * will not change." A Key Distributor has many peers: this is the first one; the roster has all.
 */
export class PeerIdentity {
  #settled = false;

  /** @type {PromiseWithResolvers<RTCIdentityAssertion>} */
  #current;

  constructor() {
    this.#current = PeerIdentity.#renew();
  }

  get promise() {
    return this.#current.promise;
  }

  /** @param {RTCIdentityAssertion} assertion */
  resolve(assertion) {
    this.#settled = true;
    this.#current.resolve(assertion);
  }

  /** @param {DOMException} reason */
  reject(reason) {
    if (this.#settled) return;
    this.#current.reject(reason);
    this.#current = PeerIdentity.#renew();
  }

  /** @returns {PromiseWithResolvers<RTCIdentityAssertion>} */
  static #renew() {
    const current = Promise.withResolvers();
    current.promise.catch(() => {}); // nobody need be interested
    return current;
  }
}
