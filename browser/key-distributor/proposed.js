/**
 * Additions to RTCKeyDistributor that this project proposes: the draft lets a Key Distributor meet its peers, and
 * gives the page no way to see them, to say who may join, or to end it.
 *
 *     partial interface RTCKeyDistributor {
 *       undefined setAdmissionPolicy(optional RTCAdmissionPolicy policy = {});
 *       attribute EventHandler onjoinrequest;            // RTCJoinRequestEvent
 *       Promise<undefined> remove(DOMString memberId);
 *       readonly attribute FrozenArray<Member> roster;
 *       readonly attribute unsigned short ektSpi;        // of the EKTKey in use, 0 while there is none
 *       readonly attribute RTCKeyDistributorConnectionState connectionState;
 *       undefined close();
 *       attribute EventHandler onrosterchange;
 *       attribute EventHandler onpeeridentity;           // CustomEvent, detail an RTCIdentityAssertion
 *       attribute EventHandler onconnectionstatechange;
 *       attribute EventHandler onstep;                   // CustomEvent, see below
 *     };
 *     dictionary RTCAdmissionPolicy {
 *       sequence<DOMString> admit = [];                  // name@host, or @host
 *       RTCAdmissionDecision others = "ask";             // enum { "admit", "ask", "refuse" }
 *     };
 *
 * Until a policy is set everyone is asked about, this page's own user too. The policy counts at once, also for those who
 * wait. Whom a person has admitted may come again unasked; whom a person has removed is asked about, whatever the policy
 * says. A member whose `spi` is not `ektSpi` has not acknowledged the EKTKey in use.
 *
 * The detail of a `step` is a `Happening` of messages.js. While an IdP proxy works there are steps with an event of
 * `own-idp-…` (it signs) or `peer-idp-…` (it validates): load, loaded, sign, signed, validate, validated.
 *
 * Importing this module makes them; `rtc-key-distributor.js` alone has the draft's interface.
 */

import { toAdmissionPolicy } from "./admission-policy.js";
import { agents, checkOpen, RTCKeyDistributor } from "./rtc-key-distributor.js";
import { checkArguments, eventHandler, toDOMString } from "./webidl.js";

const visible = { configurable: true, enumerable: true };
const method = { ...visible, writable: true };

Object.defineProperties(RTCKeyDistributor.prototype, {
  /** A TypeError or a SyntaxError for what is no policy, an InvalidStateError after `close()`. */
  setAdmissionPolicy: {
    ...method,
    value: function setAdmissionPolicy(policy = undefined) {
      const agent = agents.of(this);
      const converted = toAdmissionPolicy(policy);
      checkOpen(agent);
      agent.setAdmissionPolicy(converted);
    },
  },
  /**
   * Ends every association of a member's identity, which is asked about if it comes again. Rejects with a NotFoundError
   * where no member has this id.
   */
  remove: {
    ...method,
    value: async function remove(/** @type {unknown} */ memberId) {
      const agent = agents.of(this);
      checkArguments(arguments.length, 1);
      await agent.decide("remove", { memberId: toDOMString(memberId) });
    },
  },
  /** Everyone whose identity is verified and who has keys. */
  roster: {
    ...visible,
    get() {
      return agents.of(this).roster;
    },
  },
  ektSpi: {
    ...visible,
    get() {
      return agents.of(this).ektSpi;
    },
  },
  connectionState: {
    ...visible,
    get() {
      return agents.of(this).connectionState;
    },
  },
  /** Tells every endpoint and the Media Distributor, and ends the Worker: nobody has its keys any more. */
  close: {
    ...method,
    value: function close() {
      agents.of(this).close();
    },
  },
  onjoinrequest: eventHandler("joinrequest"),
  onrosterchange: eventHandler("rosterchange"),
  onpeeridentity: eventHandler("peeridentity"),
  onconnectionstatechange: eventHandler("connectionstatechange"),
  onstep: eventHandler("step"),
});
