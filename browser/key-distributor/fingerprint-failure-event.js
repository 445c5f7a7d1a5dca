/** The event of `onfingerprintfailure`, which the draft names and leaves undescribed. */

import { finishInterface } from "./webidl.js";

/**
 * An endpoint's DTLS certificate matches no fingerprint of an offer that was validated. The endpoint gets no
 * keys. Either someone else answers in its place, or the offer and the media come from different browsers.
 */
export class RTCFingerprintFailureEvent extends Event {
  #init;

  /**
   * @param {string} type
   * @param {EventInit & {associationId: string, presentedFingerprint: string,
   *   expectedFingerprints: readonly string[]}} init
   */
  constructor(type, init) {
    super(type, init);
    const { associationId, presentedFingerprint, expectedFingerprints } = init;
    this.#init = { associationId, presentedFingerprint, expectedFingerprints };
  }

  /** The association_id of RFC 9185, as a UUID. */
  get associationId() {
    return this.#init.associationId;
  }

  /** Of the certificate that came, as `sha-256 AB:CD:…`. */
  get presentedFingerprint() {
    return this.#init.presentedFingerprint;
  }

  /** Of the certificates that were announced in validated offers. */
  get expectedFingerprints() {
    return this.#init.expectedFingerprints;
  }
}

finishInterface(RTCFingerprintFailureEvent);
