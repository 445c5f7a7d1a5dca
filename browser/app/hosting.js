/**
 * The host's part of a page, beside the Key Distributor: who may come in, the claim to the room,
 * and what is left of both after a reload.
 */

import { Admission } from "./admission.js";
import { HostingMemory } from "./hosting-memory.js";
import { RoomClaim } from "./room-claim.js";

/** @typedef {import("./hosting-memory.js").Remembered} Remembered */
/** @typedef {import("./local-media.js").LocalMedia} LocalMedia */
/** @typedef {{ user: import("./user.js").User, media: LocalMedia }} Page what a host is there with */

/** One page's, of one room. */
export class Hosting {
  admission = new Admission();
  memory;
  claim;
  /** Ends restoring what was. */
  #restoring = new AbortController();

  /**
   * @param {string} room
   * @param {import("./signalling.js").Signalling} signalling
   */
  constructor(room, signalling) {
    this.memory = new HostingMemory(room);
    this.claim = new RoomClaim(this.memory, signalling);
  }

  /**
   * Makes everything as it was before the page was reloaded: user, policy, devices.
   *
   * @param {Remembered} remembered
   * @param {Page} page
   * @returns {Promise<"restored" | "changed" | "ended">} `changed`: another user, or another tab has
   *   the room; `ended`: the user does not want it
   */
  async restore(remembered, { user, media }) {
    this.#restoring = new AbortController();
    const { signal } = this.#restoring;
    const isHeld = await this.memory.hold();
    await user.choose(remembered.provider);
    if (signal.aborted) return "ended";
    if (isHeld) this.admission.restore(remembered);
    media.mute(!remembered.devices.audio);
    if (!isHeld || user.identity !== remembered.identity) return "changed";
    await media.open("audio");
    if (remembered.devices.video && !signal.aborted) await media.open("video");
    return signal.aborted ? "ended" : "restored";
  }

  /**
   * @param {import("./call.js").Call} call
   * @param {Page} page
   * @param {import("./call.js").Progress} progress
   */
  async open(call, { user, media }, progress) {
    await call.host(progress);
    const identity = /** @type {string} */ (user.identity);
    const policy = this.admission.policyOf(identity);
    const devices = devicesOf(media);
    this.memory.begin({ identity, provider: user.provider, ...policy, devices });
  }

  /** @param {LocalMedia} media which a reload should find as it is now */
  noteDevices(media) {
    this.memory.note({ devices: devicesOf(media) });
  }

  /**
   * The conference is over, or the wish to open it.
   *
   * @param {{ isKnown: boolean, hasTunnel: boolean }} how whether the server has said so itself; if
   *   not, whether the Key Distributor says so through its tunnel
   */
  end({ isKnown, hasTunnel }) {
    this.#restoring.abort();
    if (isKnown) this.claim.lapse();
    else this.claim.giveUp(hasTunnel);
  }
}

/** @param {LocalMedia} media */
function devicesOf({ audio, video, isMuted }) {
  return { audio: audio !== null && !isMuted, video: video !== null };
}
