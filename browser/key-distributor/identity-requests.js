/**
 * What the Key Distributor's Worker asks of identity providers, and what the page asks of its own.
 */

import { idpError, operationError } from "../identity/errors.js";
import {
  describeFailure,
  IdentityErrors,
  sign as signWith,
  validate as validateWith,
} from "./identity-work.js";

/** @typedef {import("./messages.js").Happening} Happening */

export class IdentityRequests {
  #worker;
  #dispatch;
  errors = new IdentityErrors();

  /** @type {import("./identity-work.js").IdentityProvider | null} the own one */
  provider = null;

  /**
   * Of each validation under way: the error if the request for it is refused now.
   *
   * @type {Map<number, (reason: string) => DOMException>}
   */
  #failures = new Map();

  /**
   * @param {import("./worker-client.js").WorkerClient} worker
   * @param {import("./agent.js").Dispatch} dispatch
   */
  constructor(worker, dispatch) {
    this.#worker = worker;
    this.#dispatch = dispatch;
  }

  /** @param {Extract<Happening, {event: "validation-requested"}>} request */
  async validate({ requestId, ...request }) {
    // The Worker's limit is as long, and may be over first.
    this.#failures.set(requestId, (reason) => idpError("idp-timeout", reason));
    const verdict = await validateWith(request, this.#reportIdpStep("peer", requestId)).then(
      (result) => {
        this.#failures.set(requestId, operationError);
        return result;
      },
      (error) => {
        this.#failures.set(requestId, () => error);
        this.errors.notePeer(error);
        return { error: describeFailure(error) };
      },
    );
    await this.#report("validated", { requestId, ...verdict });
    this.#failures.delete(requestId);
  }

  /**
   * What was wrong with the peer's identity, if a request was refused because of that: webrtc-identity has an RTCError
   * (its Section 8) for an identity provider's failure, and an OperationError for a verdict that does not hold.
   *
   * @param {Extract<Happening, {event: "answer-refused"}>} refusal
   * @returns {DOMException | undefined}
   */
  failureOf({ requestId, reason }) {
    return this.#failures.get(requestId)?.(reason);
  }

  /** @param {Extract<Happening, {event: "assertion-requested"}>} request */
  async sign({ requestId, contents }) {
    const onstep = this.#reportIdpStep("own", requestId);
    const assertion = await this.requestAssertion(contents, onstep).catch((error) => ({
      error: describeFailure(error),
    }));
    await this.#report("asserted", { requestId, ...assertion });
  }

  /**
   * @template {"validated" | "asserted"} Name
   * @param {Name} operation
   * @param {import("./messages.js").Arguments[Name]} values
   */
  async #report(operation, values) {
    // The answer only says that it was taken; the request itself ends with a signed or refused answer.
    await this.#worker.call(operation, values).catch(() => {});
  }

  /**
   * @param {"own" | "peer"} whose
   * @param {number} requestId
   * @returns {(step: string) => void} makes the steps of an IdP proxy steps of this request
   */
  #reportIdpStep(whose, requestId) {
    return (step) => {
      const detail = { event: `${whose}-idp-${step}`, requestId };
      this.#dispatch(new CustomEvent("step", { detail }));
    };
  }

  /**
   * @param {string} contents
   * @param {(step: string) => void} [onstep]
   * @returns {Promise<{domain: string, protocol: string, assertion: string}>}
   */
  async requestAssertion(contents, onstep = () => {}) {
    if (!this.provider) {
      throw new DOMException("no identity provider was set", "InvalidStateError");
    }
    try {
      const assertion = await signWith(this.provider, contents, onstep);
      this.errors.note(null);
      return assertion;
    } catch (error) {
      this.errors.note(error);
      throw error;
    }
  }
}
