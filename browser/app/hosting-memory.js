/**
 * What a host's page remembers when it is reloaded: that it hosts this room, as whom, and whom the
 * host has let in.
 *
 * Its Key Distributor is not among it: the private key is not extractable, and keys of the
 * conference are written nowhere. A page that comes back starts another one.
 */

/** Milliseconds until a page that goes away has let go of its room. */
const RELEASE_LIMIT = 3_000;

/**
 * @typedef {object} Remembered
 * @property {string} identity of the host
 * @property {string} provider that vouches for it
 * @property {string[]} admit who need not ask: the guest list, and who has been let in
 * @property {"ask" | "refuse" | "admit"} others
 * @property {{ audio: boolean, video: boolean }} devices what was on
 */

/** The memory of one room. */
export class HostingMemory {
  #name;
  /** Ends holding the room, or waiting for it. */
  #holding = new AbortController();
  isHeld = false;

  /** @param {string} room */
  constructor(room) {
    this.#name = `perc:hosting:${room}`;
  }

  /**
   * What this tab hosts, or hosted when it was reloaded.
   *
   * @returns {Remembered | null}
   */
  recall() {
    return JSON.parse(sessionStorage.getItem(this.#name) ?? "null");
  }

  /** @param {Remembered} hosting */
  begin(hosting) {
    sessionStorage.setItem(this.#name, JSON.stringify(hosting));
  }

  /** @param {Partial<Remembered>} changes to what is remembered, if anything is */
  note(changes) {
    const hosting = this.recall();
    if (hosting !== null) this.begin({ ...hosting, ...changes });
  }

  /** @param {string[]} identities who are in the conference, for whatever reason */
  noteAdmitted(identities) {
    const { admit = [] } = this.recall() ?? {};
    this.note({ admit: [...new Set([...admit, ...identities])] });
  }

  /**
   * Whom the host has removed is asked about, whatever the policy says; the next Key Distributor
   * does not know of it, so that nothing that would admit them may be left of the policy.
   *
   * @param {string} identity
   */
  noteRemoved(identity) {
    const { admit = [], others = "ask" } = this.recall() ?? {};
    const provider = identity.slice(identity.lastIndexOf("@"));
    this.note({
      admit: admit.filter((guest) => guest !== identity && guest !== provider),
      others: others === "admit" ? "ask" : others,
    });
  }

  /** The capability to start this room's conference again; for other tabs of this browser, too. */
  get claim() {
    return localStorage.getItem(this.#name);
  }

  /** @param {string} claim */
  keepClaim(claim) {
    localStorage.setItem(this.#name, claim);
  }

  /** @param {string} claim that is good for nothing more */
  dropClaim(claim) {
    if (this.claim === claim) localStorage.removeItem(this.#name);
  }

  /** There is nothing that a reload should come back to. */
  forget() {
    sessionStorage.removeItem(this.#name);
  }

  /**
   * Makes this page the one of this browser that hosts the room. A tab that was duplicated has the
   * memory of the one that still hosts.
   *
   * @returns {Promise<boolean>} false if another page is that one, and stays it
   */
  async hold() {
    if (this.isHeld) return true;
    this.#holding = new AbortController();
    const { signal } = this.#holding;
    const waiting = AbortSignal.any([signal, AbortSignal.timeout(RELEASE_LIMIT)]);
    return new Promise((taken) => {
      const hold = () => {
        this.isHeld = !signal.aborted;
        taken(this.isHeld);
        return this.isHeld && new Promise((end) => signal.addEventListener("abort", end));
      };
      navigator.locks.request(this.#name, { signal: waiting }, hold).catch(() => taken(false));
    });
  }

  /** Another page may hold the room, and this one waits for it no more. */
  release() {
    this.isHeld = false;
    this.#holding.abort();
  }
}
