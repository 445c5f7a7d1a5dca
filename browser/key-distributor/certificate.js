/** The Key Distributor's certificate, in the shape of WebRTC's RTCCertificate, of which no page can make its own. */

import { finishInterface } from "./webidl.js";

/** @typedef {import("./messages.js").CertificateDescription} CertificateDescription */

export class KeyDistributorCertificate {
  #description;

  /** @param {CertificateDescription} description */
  constructor(description) {
    this.#description = description;
  }

  /** Milliseconds since the epoch. */
  get expires() {
    return this.#description.expires;
  }

  /** @returns {RTCDtlsFingerprint[]} */
  getFingerprints() {
    return this.#description.fingerprints.map((fingerprint) => ({ ...fingerprint }));
  }
}

finishInterface(KeyDistributorCertificate, "RTCCertificate");
