/**
 * Who may come in: what the host has said in the lobby, and who waits at the door.
 */

import { readGuestList } from "./guest-list.js";

/** @typedef {import("../key-distributor/join-request-event.js").RTCJoinRequestEvent} JoinRequest */
/** @typedef {"ask" | "refuse" | "admit"} Otherwise */

/** `change` whenever anything below has changed. */
export class Admission extends EventTarget {
  /** @type {import("./guest-list.js").GuestList} who need not wait */
  guestList = readGuestList("");
  /** As the host has written it. */
  guestText = "";
  /** @type {Otherwise} what is done about everyone else */
  others = "ask";
  /** @type {readonly JoinRequest[]} in the order in which they came */
  requests = [];

  /** @param {string} text */
  setGuestList(text) {
    this.guestText = text;
    this.guestList = readGuestList(text);
    this.#changed();
  }

  /** @param {Otherwise} others */
  setOthers(others) {
    this.others = others;
    this.#changed();
  }

  /**
   * As it was before the page was reloaded.
   *
   * @param {{ identity: string, admit: string[], others: Otherwise }} remembered of this owner
   */
  restore({ identity, admit, others }) {
    this.others = others;
    this.setGuestList(admit.filter((guest) => guest !== identity).join("\n"));
  }

  /** @param {string} owner who need not ask themselves */
  policyOf(owner) {
    return { admit: [owner, ...this.guestList.guests], others: this.others };
  }

  /** @param {JoinRequest} request */
  ask(request) {
    this.requests = [...this.requests, request];
    request.signal.addEventListener("abort", () => this.#withdraw(request));
    this.#changed();
  }

  /** @param {JoinRequest} request */
  #withdraw(request) {
    this.requests = this.requests.filter((other) => other !== request);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
