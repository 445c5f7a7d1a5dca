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
 * @typedef {object} Hosting
 * @property {string} identity of the host
 * @property {string} provider that vouches for it
 * @property {string[]} admit who need not ask: the guest list, and who has been let in
 * @property {"ask" | "refuse" | "admit"} others
 * @property {{ audio: boolean, video: boolean }} devices what was on
 */

/** The memory of one room. */
export class HostingMemory {
  #name;
  /** @type {(() => void) | null} */
  #release = null;

  /** @param {string} room */
  constructor(room) {
    this.#name = `perc:hosting:${room}`;
  }

  /**
   * What this tab hosts, or hosted when it was reloaded.
   *
   * @returns {Hosting | null}
   */
  recall() {
    return JSON.parse(sessionStorage.getItem(this.#name) ?? "null");
  }

  /** @param {Hosting} hosting */
  begin(hosting) {
    sessionStorage.setItem(this.#name, JSON.stringify(hosting));
  }

  /** @param {Partial<Hosting>} changes to what is remembered, if anything is */
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

  /** The conference has ended: there is nothing to come back to. */
  forget() {
    sessionStorage.removeItem(this.#name);
    localStorage.removeItem(this.#name);
    this.#release?.();
    this.#release = null;
  }

  /**
   * Makes this page the one of this browser that hosts the room. A tab that was duplicated has the
   * memory of the one that still hosts.
   *
   * @returns {Promise<boolean>} false if another page is that one, and stays it
   */
  async hold() {
    if (this.#release !== null) return true;
    const taken = Promise.withResolvers();
    const kept = Promise.withResolvers();
    const hold = () => {
      this.#release = () => kept.resolve(null);
      taken.resolve(true);
      return kept.promise;
    };
    const signal = AbortSignal.timeout(RELEASE_LIMIT);
    navigator.locks.request(this.#name, { signal }, hold).catch(() => taken.resolve(false));
    return taken.promise;
  }
}

/**
 * What a host joins with, as it is now.
 *
 * @param {import("./local-media.js").LocalMedia} media
 */
export function devicesOf({ audio, video, isMuted }) {
  return { audio: audio !== null && !isMuted, video: video !== null };
}

/**
 * Makes everything as it was before the page was reloaded: user, policy, devices.
 *
 * @param {Hosting} hosting
 * @param {HostingMemory} memory
 * @param {{ user: import("./user.js").User, admission: import("./admission.js").Admission,
 *   media: import("./local-media.js").LocalMedia }} page
 * @returns {Promise<boolean>} whether it could: as the same user, in one tab only
 */
export async function restore(hosting, memory, { user, admission, media }) {
  const isHeld = await memory.hold();
  await user.choose(hosting.provider);
  if (isHeld) admission.restore(hosting);
  media.mute(!hosting.devices.audio);
  const isSame = isHeld && user.identity === hosting.identity;
  if (isSame) await media.open("audio");
  if (isSame && hosting.devices.video) await media.open("video");
  return isSame;
}
