/** The event of `onjoinrequest`, which this project proposes: the draft has no way to say who may join. */

import { JoinRequest } from "./join-request.js";
import { finishInterface, Implementations } from "./webidl.js";

/** @type {Implementations<JoinRequest>} */
const requests = new Implementations();

/**
 * Somebody with a verified identity wants to join, and waits without keys and without the roster until this page
 * decides, or they give up.
 */
export class RTCJoinRequestEvent extends Event {
  /**
   * @param {string} type
   * @param {EventInit & {associationId: string, identity: string, idp: string, verifiedAt: number}} init
   */
  constructor(type, init) {
    super(type, init);
    const refuse = () =>
      Promise.reject(new DOMException("no Key Distributor made this event", "InvalidStateError"));
    requests.set(this, new JoinRequest({ event: "join-requested", ...init }, refuse));
  }

  /** The association_id of RFC 9185, as a UUID. */
  get associationId() {
    return requests.of(this).description.associationId;
  }

  /** `name@host`, verified. */
  get identity() {
    return requests.of(this).description.identity;
  }

  /** The domain of the identity provider that vouches for it. */
  get idp() {
    return requests.of(this).description.idp;
  }

  /** Milliseconds since the epoch. */
  get verifiedAt() {
    return requests.of(this).description.verifiedAt;
  }

  /**
   * Aborted when there is nothing left to decide: it was decided, the one who asked has gone, or was let in on another
   * ground.
   */
  get signal() {
    return requests.of(this).signal;
  }

  /**
   * Lets them in, now and whenever this identity comes again, until it is removed.
   *
   * @returns {Promise<void>} rejects with an InvalidStateError after a decision and after `close()`, with a
   *   NotFoundError where the one who asked has gone
   */
  async admit() {
    await requests.of(this).decide("admit");
  }

  /**
   * Sends them away. They may ask again.
   *
   * @returns {Promise<void>} rejects as `admit()` does
   */
  async deny() {
    await requests.of(this).decide("deny");
  }
}

finishInterface(RTCJoinRequestEvent);

/**
 * The event for a request that the Key Distributor's Worker has made.
 *
 * @param {JoinRequest} request
 */
export function announce(request) {
  const event = new RTCJoinRequestEvent("joinrequest", request.description);
  requests.set(event, request);
  return event;
}
