/**
 * Certificates made ahead. An assertion covers the fingerprint of the connection's certificate, and a browser tells it
 * only once there is an SDP with media; a certificate given to the constructor is known from the start.
 */

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" }; // what browsers make by themselves
const READY = 2; // connections that can be constructed in one task

/** @type {RTCCertificate[]} */
const ready = [];

/** @returns {Promise<unknown>} when there are certificates for the next connections */
export function prepareCertificates() {
  const missing = Array.from({ length: READY - ready.length }, generate);
  return Promise.all(missing);
}

/** @returns {RTCCertificate | undefined} one that no other connection has; none if none is ready */
export function takeCertificate() {
  const certificate = ready.shift();
  // Not at once: constructors that follow in this task take what is ready.
  queueMicrotask(prepareCertificates);
  return certificate;
}

async function generate() {
  ready.push(await RTCPeerConnection.generateCertificate(ALGORITHM));
}
