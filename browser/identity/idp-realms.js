/**
 * The realms that are open, each for all who ask the same IdP proxy. A description from anywhere decides which providers
 * are asked, and they decide what runs: a realm is closed as soon as it is of no more use, and there are never many.
 */

import { forgetAbsence, openFrame, rememberAbsence } from "./idp-frame.js";
import { closed } from "./idp-realm.js";
import { openSandbox } from "./idp-sandbox.js";
import { TIME_LIMIT, within } from "./time-limit.js";

/** @typedef {import("./idp-realm.js").IdpRealm} IdpRealm */
/** @typedef {import("./idp-realm.js").Request} Request */

/** Milliseconds for which a realm serves further calls: providers change their keys, so not for ever. */
const REUSE_LIMIT = 5 * 60_000;

/** Each may be a process of the browser's; the providers of one conference are usually fewer. */
const MAX_OPEN = 16;

/** The least recently used one first. @type {Set<SharedRealm>} */
const open = new Set();

/**
 * @param {URL} uri the IdP proxy's
 * @param {AbortSignal} signal
 * @returns {Promise<void>} when the IdP proxy has registered
 */
export function load(uri, signal) {
  return realmFor(uri).load(signal);
}

/**
 * @template T
 * @param {URL} uri the IdP proxy's
 * @param {AbortSignal} signal
 * @param {Request} request
 * @param {(result: any) => T} read checks what the IdP proxy returned
 * @returns {Promise<T>}
 */
export async function ask(uri, signal, request, read) {
  try {
    return await realmFor(uri).ask(signal, request, read);
  } catch (error) {
    // A frame that was late, or failed once, was taken for one that is not there; what can log in is the frame.
    const mayBeForWantOfFrame =
      request.op === "generateAssertion" && detailOf(error) === "idp-execution-failure";
    if (!mayBeForWantOfFrame || !forgetAbsence(uri)) throw error;
    return realmFor(uri).ask(signal, request, read);
  }
}

class SharedRealm {
  #users = 0;
  #reusable = true;
  #opening = new AbortController();
  #realm;
  #age;

  /** The login window speaks with the very frame that asked for the login, however long a person takes. */
  #awaitsLogin = false;

  /** @param {URL} uri */
  constructor(uri) {
    this.href = uri.href;
    // A limit of its own: callers who share a realm do not share their patience.
    const limit = AbortSignal.timeout(TIME_LIMIT);
    this.#realm = openRealm(uri, AbortSignal.any([this.#opening.signal, limit]));
    this.#realm.catch(() => this.close());
    this.#age = setTimeout(() => this.#retire(), REUSE_LIMIT);
  }

  /** @param {URL} uri */
  serves(uri) {
    return this.#reusable && this.href === uri.href;
  }

  get idle() {
    return this.#users === 0 && !this.#awaitsLogin;
  }

  /** @param {AbortSignal} signal */
  load(signal) {
    return this.#use(async () => void (await within(signal, this.#realm)));
  }

  /**
   * @template T
   * @param {AbortSignal} signal
   * @param {Request} request
   * @param {(result: any) => T} read
   * @returns {Promise<T>}
   */
  ask(signal, request, read) {
    return this.#use(async () => {
      const realm = await within(signal, this.#realm);
      try {
        const result = read(await within(signal, realm.ask(request)));
        if (request.op === "generateAssertion") this.#loggedIn();
        return result;
      } catch (error) {
        this.#failed(request, error);
        throw error;
      }
    });
  }

  close() {
    open.delete(this);
    this.#reusable = false;
    clearTimeout(this.#age);
    this.#opening.abort(closed());
    this.#realm.then(
      (realm) => realm.close(),
      () => {}, // its users know
    );
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #use(work) {
    this.#users += 1;
    try {
      return await work();
    } finally {
      this.#users -= 1;
      this.#closeIfDone();
    }
  }

  /**
   * @param {Request} request
   * @param {unknown} error
   */
  #failed({ op }, error) {
    // Any failure but this one may be the realm's own.
    if (detailOf(error) !== "idp-need-login") this.#retire();
    // A validator has nobody log in; who could make it wait could choose what is kept.
    else if (op === "generateAssertion") this.#awaitsLogin = true;
  }

  #loggedIn() {
    for (const realm of open) {
      if (realm.href !== this.href) continue;
      realm.#awaitsLogin = false;
      realm.#closeIfDone();
    }
  }

  #retire() {
    this.#reusable = false;
    this.#closeIfDone();
  }

  #closeIfDone() {
    if (this.idle && !this.#reusable) this.close();
  }
}

/** @param {URL} uri */
function realmFor(uri) {
  const known = [...open].find((realm) => realm.serves(uri));
  if (!known) makeRoom();
  const realm = known ?? new SharedRealm(uri);
  open.delete(realm);
  open.add(realm);
  return realm;
}

function makeRoom() {
  const realms = [...open];
  if (realms.length < MAX_OPEN) return;
  (realms.find(({ idle }) => idle) ?? realms[0])?.close();
}

/**
 * @param {URL} uri
 * @param {AbortSignal} signal
 * @returns {Promise<IdpRealm>}
 */
async function openRealm(uri, signal) {
  const frame = await openFrame(uri, signal);
  if (frame) return frame;
  const realm = await openSandbox(uri, signal);
  rememberAbsence(uri);
  return realm;
}

/** @param {any} error @returns {unknown} */
function detailOf(error) {
  return error?.errorDetail;
}
