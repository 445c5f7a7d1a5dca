/** The user of this page: how far they are with the identity provider that they chose. */

import { describeFailure } from "./failures.js";
import { LoginNeeded, currentIdentity, signIn } from "./sign-in.js";
import { StageError } from "./stages.js";

/**
 * @typedef {{ status: "none" | "checking" } | { status: "signed-out", loginUrl: string }
 *   | { status: "signed-in", identity: string }
 *   | { status: "failed", failure: import("./failures.js").Failure }} Login
 */

/** `change` when the login has changed. */
export class User extends EventTarget {
  /** The identity provider's domain; empty before one is chosen. */
  provider = "";
  /** @type {Login} */
  login = { status: "none" };

  /** `name@idp`, or null. */
  get identity() {
    return this.login.status === "signed-in" ? this.login.identity : null;
  }

  /**
   * Chooses an identity provider, and asks it who the user is.
   *
   * @param {string} domain
   */
  async choose(domain) {
    this.provider = domain;
    await this.#ask(() => currentIdentity(domain));
  }

  /** Asks again: the user may have been signed out meanwhile. */
  async refresh() {
    if (this.provider !== "") await this.choose(this.provider);
  }

  /** Opens the provider's sign-in window; to be called on a click. */
  async signIn() {
    if (this.login.status !== "signed-out") return;
    const { loginUrl } = this.login;
    await this.#ask(() => signIn(this.provider, loginUrl));
  }

  /** @param {() => Promise<string>} ask */
  async #ask(ask) {
    const { provider } = this;
    this.#set({ status: "checking" });
    const login = await ask().then(
      (identity) => /** @type {Login} */ ({ status: "signed-in", identity }),
      (error) => afterError(error),
    );
    // An answer that comes after another provider was chosen is nobody's any more.
    if (this.provider === provider) this.#set(login);
  }

  /** @param {Login} login */
  #set(login) {
    this.login = login;
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * @param {unknown} error
 * @returns {Login}
 */
function afterError(error) {
  if (error instanceof LoginNeeded) return { status: "signed-out", loginUrl: error.url };
  const failure = describeFailure(new StageError("signing-in", error), { owner: null });
  return { status: "failed", failure };
}
