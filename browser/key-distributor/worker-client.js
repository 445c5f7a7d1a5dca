/**
 * The page's end of the Key Distributor's Worker. It has few imports, so that a page can start the Worker
 * before the rest of it is loaded.
 */

/** @typedef {import("./messages.js").Happening} Happening */
/** @typedef {import("./messages.js").Reply} Reply */
/** @typedef {import("./messages.js").ErrorDescription} ErrorDescription */
/** @typedef {import("./messages.js").Arguments} Arguments */
/** @typedef {import("./messages.js").Operation} Operation */

/**
 * Takes what Workers write for debugging.
 *
 * @typedef {object} DebugSink
 * @property {ReadonlyMap<import("./messages.js").DebugRecord, unknown>} records which are wanted
 * @property {() => void} start a Worker starts that writes them
 * @property {(line: import("./messages.js").DebugLine) => void} write
 */

/** @type {DebugSink | null} */
let debugSink = null;

/**
 * Has every Worker that is started from now on write for debugging. This is no part of RTCKeyDistributor: a browser
 * would have it in its developer tools, out of the page's reach.
 *
 * @param {DebugSink} sink
 */
export function debugWorkers(sink) {
  debugSink = sink;
}

/** One Worker, which has one Key Distributor. */
export class WorkerClient {
  #debug = debugSink;
  #worker = new Worker(workerUrl(this.#debug), { type: "module", name: "RTCKeyDistributor" });

  /** @type {Map<number, {resolve: (value: any) => void, reject: (reason: DOMException) => void}>} */
  #calls = new Map();
  #lastId = 0;

  /** @type {Happening[]} */
  #unheard = [];

  /** @type {((happening: Happening) => void) | null} */
  #listener = null;

  /** @type {ErrorDescription | null} why nothing can be asked any more */
  #ended = null;

  constructor() {
    this.#debug?.start();
    this.#worker.onmessage = ({ data }) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault(); // it is told to everyone who asked, and to the listener
      const message = `the Key Distributor's Worker failed: ${event.message ?? "it did not load"}`;
      this.#take({ event: "failed", error: { name: "OperationError", message } });
    };
  }

  /**
   * Hears what happens in the Worker, and what has happened so far.
   *
   * @param {(happening: Happening) => void} listener
   */
  listen(listener) {
    this.#listener = listener;
    for (const happening of this.#unheard.splice(0)) listener(happening);
  }

  /**
   * @template {Operation} Name
   * @param {Name} operation
   * @param {Arguments[Name]} values
   * @returns {Promise<unknown>} rejects with a DOMException
   */
  call(operation, values) {
    if (this.#ended) return Promise.reject(toException(this.#ended));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#worker.postMessage({ id, operation, ...values });
    });
  }

  /**
   * Ends the Worker; what was asked and not answered is rejected.
   *
   * @param {ErrorDescription} reason
   */
  end(reason) {
    this.#ended ??= reason;
    this.#worker.terminate();
    for (const { reject } of this.#calls.values()) reject(toException(this.#ended));
    this.#calls.clear();
  }

  /** @param {Reply} reply */
  #take(reply) {
    if ("debug" in reply) return this.#debug?.write(reply);
    if ("event" in reply) {
      if (reply.event === "failed") this.end(reply.error);
      if (this.#listener) this.#listener(reply);
      else this.#unheard.push(reply);
      return;
    }
    const call = this.#calls.get(reply.id);
    this.#calls.delete(reply.id);
    if ("error" in reply) call?.reject(toException(reply.error));
    else call?.resolve(reply.result);
  }
}

/** @param {DebugSink | null} debug */
function workerUrl(debug) {
  const url = new URL("./worker.js", import.meta.url);
  for (const record of debug?.records.keys() ?? []) url.searchParams.append("debug", record);
  return url;
}

/**
 * @param {ErrorDescription} description
 * @returns {DOMException}
 */
export function toException({ name, message }) {
  return new DOMException(message, name);
}

/** @type {WorkerClient | null} */
let prepared = null;

/**
 * Starts a Worker that the next RTCKeyDistributor will use. A page that is going to own a conference calls
 * this first of all: the interpreter then loads while the page does.
 */
export function prepareWorker() {
  prepared ??= new WorkerClient();
}

/** @returns {WorkerClient} the prepared one, or a new one */
export function takeWorker() {
  const worker = prepared ?? new WorkerClient();
  prepared = null;
  return worker;
}
