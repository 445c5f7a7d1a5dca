/**
 * Additions to RTCKeyDistributor that this project proposes: the draft lets a Key Distributor meet its peers, and
 * gives the page no way to see them, or to end it.
 *
 *     partial interface RTCKeyDistributor {
 *       readonly attribute FrozenArray<Member> roster;
 *       readonly attribute RTCKeyDistributorConnectionState connectionState;
 *       undefined close();
 *       attribute EventHandler onrosterchange;
 *       attribute EventHandler onpeeridentity;           // CustomEvent, detail an RTCIdentityAssertion
 *       attribute EventHandler onconnectionstatechange;
 *       attribute EventHandler onstep;                   // CustomEvent, see below
 *     };
 *
 * The detail of a `step` is a `Happening` of messages.js. While an IdP proxy works there are steps with an event of
 * `own-idp-…` (it signs) or `peer-idp-…` (it validates): load, loaded, sign, signed, validate, validated.
 *
 * Importing this module makes them; `rtc-key-distributor.js` alone has the draft's interface.
 */

import { agents, RTCKeyDistributor } from "./rtc-key-distributor.js";
import { eventHandler } from "./webidl.js";

const visible = { configurable: true, enumerable: true };

Object.defineProperties(RTCKeyDistributor.prototype, {
  /** Everyone whose identity is verified and who has keys. */
  roster: {
    ...visible,
    get() {
      return agents.of(this).roster;
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
    ...visible,
    writable: true,
    value: function close() {
      agents.of(this).close();
    },
  },
  onrosterchange: eventHandler("rosterchange"),
  onpeeridentity: eventHandler("peeridentity"),
  onconnectionstatechange: eventHandler("connectionstatechange"),
  onstep: eventHandler("step"),
});
