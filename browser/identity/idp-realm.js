/**
 * The realm that an IdP proxy runs in: a frame of another origin than the page's, spoken to through one MessagePort.
 *
 * Two kinds: a frame under the IdP's own origin, where the IdP has one beside its script (it can hold a session, so it
 * can generate assertions), else an opaque origin, in which the script alone runs (it can validate).
 */

import { errorFromProxy, idpError } from "./errors.js";
import { within } from "./time-limit.js";

/** Its script has run when a frame has loaded; what has not answered this much later (in ms) is another page. */
const GREETING_LIMIT = 500;

/** @typedef {{op: "generateAssertion" | "validateAssertion", contents?: string, assertion?: string, options?: object}} Request */

export class IdpRealm {
  #frame;
  #port;
  #lastId = 0;
  #closed = false;

  /** @type {Map<number, PromiseWithResolvers<any>>} */
  #pending = new Map();

  /**
   * @param {HTMLIFrameElement} frame
   * @param {MessagePort} port to the realm, which has said that it is ready
   */
  constructor(frame, port) {
    this.#frame = frame;
    this.#port = port;
    port.onmessage = ({ data }) => this.#settle(data);
  }

  /**
   * @param {Request} request
   * @returns {Promise<any>} what the IdP proxy returned, cloned; nothing in it has been checked
   */
  async ask(request) {
    if (this.#closed) throw closed();
    const id = ++this.#lastId;
    const answer = Promise.withResolvers();
    this.#pending.set(id, answer);
    this.#port.postMessage({ id, ...request });
    return answer.promise;
  }

  close() {
    this.#closed = true;
    this.#port.close();
    this.#frame.remove();
    for (const answer of this.#pending.values()) {
      answer.reject(closed());
    }
    this.#pending.clear();
  }

  /** @param {any} data */
  #settle(data) {
    const answer = this.#pending.get(data?.id);
    if (!answer) return;
    this.#pending.delete(data.id);
    if (data.error === undefined) answer.resolve(data.result);
    else answer.reject(errorFromProxy(data.error));
  }
}

/** What those get who use a realm, or wait for one, when it is closed. */
export function closed() {
  return idpError("idp-execution-failure", "the IdP proxy was closed");
}

/**
 * Adds a frame to the page and waits until it has loaded, whatever has.
 *
 * @param {{src: string} | {srcdoc: string}} page
 * @param {string} sandbox what the frame may do
 * @param {AbortSignal} signal
 * @returns {Promise<HTMLIFrameElement>}
 */
export async function loadFrame(page, sandbox, signal) {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = "Identity provider";
  frame.referrerPolicy = "no-referrer";
  frame.setAttribute("sandbox", sandbox);
  Object.assign(frame, page);
  const loaded = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
  (document.body ?? document.documentElement).append(frame);
  await removingOnFailure(frame, within(signal, loaded));
  return frame;
}

/**
 * @template T
 * @param {HTMLIFrameElement} frame
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
export async function removingOnFailure(frame, work) {
  try {
    return await work;
  } catch (error) {
    frame.remove();
    throw error;
  }
}

/**
 * Gives a frame that has loaded one end of a channel and waits for its greeting.
 *
 * @param {HTMLIFrameElement} frame
 * @param {object} message
 * @param {string} targetOrigin
 * @returns {Promise<{port: MessagePort, greeting: any}>} no greeting (null) if it is not the page that was meant
 */
export async function connect(frame, message, targetOrigin) {
  const { port1, port2 } = new MessageChannel();
  const greeting = nextMessage(port1);
  frame.contentWindow?.postMessage(message, targetOrigin, [port2]);
  return { port: port1, greeting: await Promise.race([greeting, silence()]) };
}

/**
 * @param {MessagePort} port
 * @returns {Promise<any>}
 */
export function nextMessage(port) {
  return new Promise((resolve) => {
    port.onmessage = ({ data }) => resolve(data);
  });
}

/** @returns {Promise<null>} */
function silence() {
  return new Promise((resolve) => setTimeout(resolve, GREETING_LIMIT, null));
}
