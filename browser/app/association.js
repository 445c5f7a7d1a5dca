/**
 * This endpoint's DTLS association with the Key Distributor, and what its end means.
 *
 * A fatal alert is protected by the association's own keys: neither the Media Distributor nor call
 * processing can make one, so that nobody else can say that the host does not want somebody.
 *
 * What Chromium 156 shows (measured): a fatal alert makes the RTCDtlsTransport and the
 * RTCPeerConnection `failed`, in this order or the other, while ICE stays `connected`; there is no
 * `error` event that would tell the alert. A close_notify closes the SCTP transport, and nothing
 * else happens. A network that falls silent makes ICE `disconnected`, then the RTCPeerConnection
 * `failed` (which ICE may say later), and leaves the RTCDtlsTransport `connected`.
 */

const ICE_WORKS = ["connected", "completed"];

/** The Key Distributor has ended the association: its owner wants it so. */
export class TurnedAway extends Error {
  /** @override */
  name = "TurnedAway";

  /** @param {"denied" | "removed"} outcome not let in, or not wanted any more */
  constructor(outcome) {
    super("the Key Distributor ended the association");
    this.outcome = outcome;
  }
}

/** How far an RTCPeerConnection has come, and why it did not come further. */
export class Association {
  #pc;
  #isEstablished = false;
  /** Whether the Key Distributor has told this endpoint anything that it tells members only. */
  isMember = false;

  /** @param {RTCPeerConnection} pc */
  constructor(pc) {
    this.#pc = pc;
    pc.addEventListener("connectionstatechange", () => {
      if (pc.connectionState === "connected") this.#isEstablished = true;
    });
  }

  /**
   * Why the connection has failed; null if it has not, or may come back: the association outlives a
   * network path.
   */
  get failure() {
    if (this.#pc.connectionState !== "failed") return null;
    if (!this.#isEstablished) return new Error("ICE or DTLS failed");
    return this.#hasAlert ? new TurnedAway(this.isMember ? "removed" : "denied") : null;
  }

  get #hasAlert() {
    const { iceConnectionState, sctp } = this.#pc;
    return sctp?.transport.state === "failed" || ICE_WORKS.includes(iceConnectionState);
  }
}
