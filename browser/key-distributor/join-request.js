/**
 * One endpoint that waits at the door, and what the page may still decide about it.
 *
 * It ends once: by the page's decision, because the endpoint is gone, or because it was let in on another ground
 * (a new policy, or another request of the same identity).
 */

import { toException } from "./worker-client.js";

/** @typedef {import("./messages.js").Happening} Happening */
/** @typedef {Extract<Happening, {event: "join-requested"}>} JoinRequested */
/** @typedef {"admit" | "deny"} Decision */

const DECIDED = { name: "InvalidStateError", message: "this request was decided about already" };
const GONE = { name: "NotFoundError", message: "nobody waits with this request any more" };

export class JoinRequest {
  #perform;
  #ending = new AbortController();
  #isDecided = false;

  /**
   * @param {JoinRequested} description
   * @param {(decision: Decision, associationId: string) => Promise<unknown>} perform has the Worker do it; rejects with
   *   an InvalidStateError when there is no Worker any more
   */
  constructor({ associationId, identity, idp, verifiedAt }, perform) {
    this.description = Object.freeze({ associationId, identity, idp, verifiedAt });
    this.#perform = perform;
  }

  /** Aborted as soon as there is nothing left to decide. */
  get signal() {
    return this.#ending.signal;
  }

  /** @param {Decision} decision */
  async decide(decision) {
    if (this.#isDecided) throw toException(DECIDED);
    this.signal.throwIfAborted();
    this.#isDecided = true;
    try {
      await this.#perform(decision, this.description.associationId);
    } finally {
      this.end();
    }
  }

  /** @param {import("./messages.js").ErrorDescription} [reason] */
  end(reason = GONE) {
    this.#ending.abort(toException(reason));
  }
}

/** The requests of one Key Distributor, by association. */
export class JoinRequests {
  /** @type {Map<string, JoinRequest>} */
  #open = new Map();

  /** @param {JoinRequest} request */
  add(request) {
    this.#open.set(request.description.associationId, request);
  }

  /** @param {string} associationId of an endpoint that was admitted, or has left */
  end(associationId) {
    this.#open.get(associationId)?.end();
    this.#open.delete(associationId);
  }

  /** @param {import("./messages.js").ErrorDescription} reason why nothing can be decided any more */
  close(reason) {
    for (const request of this.#open.values()) request.end(reason);
    this.#open.clear();
  }
}
