/** Is this your host? It is asked where the link names none, before anything of the user's is sent. */

/** @typedef {"yes" | "no" | "superseded"} Decision `superseded`: it does not matter any more */

/** One question at a time. */
export class HostQuestion {
  /** The verified identity that answered. */
  host = "";
  /** @type {PromiseWithResolvers<Decision> | null} */
  #decision = null;

  /**
   * @param {string} host
   * @returns {Promise<Decision>}
   */
  ask(host) {
    this.supersede();
    this.host = host;
    this.#decision = Promise.withResolvers();
    return this.#decision.promise;
  }

  /** @param {boolean} isHost */
  answer(isHost) {
    this.#decision?.resolve(isHost ? "yes" : "no");
  }

  /** The endpoint that was answered is given up. */
  supersede() {
    this.#decision?.resolve("superseded");
  }
}
