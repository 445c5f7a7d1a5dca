/** The door of a conference: who asks its host to be let in. Nobody's focus is taken by it. */

import { button, focusCall, part, stamp, write } from "./elements.js";
import { whenAndByWhom } from "./verified.js";

/** @typedef {import("../conference.js").Conference} Conference */
/** @typedef {import("../admission.js").JoinRequest} JoinRequest */

/** Shows the join requests in a call. */
export class Door {
  #conference;
  #list = part("requests");
  /** @type {Map<JoinRequest, HTMLElement>} */
  #items = new Map();

  /** @param {Conference} conference */
  constructor(conference) {
    this.#conference = conference;
  }

  render() {
    const { requests } = this.#conference.admission;
    for (const request of this.#items.keys()) {
      if (!requests.includes(request)) this.#remove(request);
    }
    for (const request of requests) {
      if (!this.#items.has(request)) this.#add(request);
    }
    part("door").hidden = requests.length === 0;
    write(part("door-title"), title(requests.length));
  }

  /** @param {JoinRequest} request */
  #add(request) {
    const item = stamp("request");
    const { identity, verifiedAt } = request;
    const verified = whenAndByWhom(identity, verifiedAt);
    write(part("request-identity", item), identity);
    write(part("request-verified", item), `Verified ${verified}`);
    for (const decision of /** @type {const} */ (["admit", "deny"])) {
      const control = button(decision, item);
      control.setAttribute("aria-label", `${control.textContent} ${identity}`);
      control.addEventListener("click", () => this.#decide(decision, request, item));
    }
    this.#items.set(request, item);
    this.#list.append(item);
    write(part("door-status"), `${identity} wants to come in, verified ${verified}.`);
  }

  /**
   * The first click decides. The buttons keep the focus until their request is gone, which `disabled`
   * would take from them.
   *
   * @param {"admit" | "deny"} decision
   * @param {JoinRequest} request
   * @param {HTMLElement} item
   */
  #decide(decision, request, item) {
    if (item.dataset["decision"] !== undefined) return;
    item.dataset["decision"] = decision;
    for (const control of item.querySelectorAll("button")) control.ariaDisabled = "true";
    this.#conference[decision](request);
  }

  /** @param {JoinRequest} request */
  #remove(request) {
    const item = this.#items.get(request);
    this.#items.delete(request);
    if (item?.contains(document.activeElement)) {
      // Who decided with the keyboard goes on from here.
      const next = item.nextElementSibling ?? item.previousElementSibling;
      if (next === null) focusCall();
      else next.querySelector("button")?.focus();
    }
    item?.remove();
    write(part("door-status"), "");
  }
}

/** @param {number} count */
function title(count) {
  return count === 1 ? "Somebody wants to come in" : `${count} people want to come in`;
}
