/**
 * This endpoint's DTLS association with the Key Distributor, and what its end means.
 *
 * A fatal alert is protected by the association's own keys: neither the Media Distributor nor call
 * processing can make one, so that nobody else can say that the host does not want somebody.
 */

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

  /** Why the connection has failed; null if it has not. */
  get failure() {
    if (this.#pc.connectionState !== "failed") return null;
    const isAlert = this.#isEstablished && this.#pc.sctp?.transport.state === "failed";
    if (isAlert) return new TurnedAway(this.isMember ? "removed" : "denied");
    return new Error("ICE or DTLS failed");
  }
}
