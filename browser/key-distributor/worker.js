/**
 * The Worker in which the Key Distributor lives: it loads Pyodide and perc from its own site and hands the page's
 * messages to `perc.runtime`. Keys never leave it.
 *
 * Messages that come before the interpreter runs are kept in order.
 */

import { loadPyodide } from "../pyodide/pyodide.mjs";
import { OPERATIONS } from "./messages.js";

/** @typedef {import("./messages.js").Request} Request */
/** @typedef {import("./messages.js").Reply} Reply */
/** @typedef {import("./messages.js").ErrorDescription} ErrorDescription */

/** A cold start takes about a second; after this long it hangs, or the network does. */
const LOAD_TIMEOUT = 30_000;

/** The smallest WebAssembly module: it compiles wherever the policy allows any. */
const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** An archive of modules on Python's path; nothing is unpacked. */
const ARCHIVE = "/perc.zip";

/** A failure to start that the page can show. */
class StartError extends Error {
  /**
   * @param {string} name an error name of WebIDL
   * @param {string} message
   */
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

/** @param {Reply} message */
function post(message) {
  self.postMessage(message);
}

/** Without this Pyodide would only hang: it logs that WebAssembly is refused and waits on. */
async function checkPolicy() {
  await WebAssembly.compile(EMPTY_MODULE).catch(() => {
    throw new StartError(
      "SecurityError",
      "WebAssembly is refused here: the Content Security Policy needs 'wasm-unsafe-eval' in script-src",
    );
  });
}

async function fetchArchive() {
  const response = await fetch(new URL("../perc.zip", import.meta.url));
  if (!response.ok) {
    throw new StartError("NetworkError", `perc.zip could not be loaded: HTTP ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** @returns {Promise<import("pyodide").PyodideInterface>} with perc on its path */
async function loadPython() {
  const archive = fetchArchive();
  const interpreter = loadPyodide({
    indexURL: new URL("../pyodide/", import.meta.url).href,
    env: { PYTHONPATH: ARCHIVE },
    // A rejection in here would be nobody's.
    fsInit: (fileSystem) =>
      archive.then(
        (bytes) => fileSystem.writeFile(ARCHIVE, bytes),
        () => {},
      ),
  });
  const [pyodide] = await Promise.all([interpreter, archive]);
  return pyodide;
}

/** @returns {Promise<never>} */
function timeLimit() {
  return new Promise((_, reject) => {
    const message = `the Key Distributor did not start within ${LOAD_TIMEOUT / 1000} s`;
    setTimeout(() => reject(new StartError("TimeoutError", message)), LOAD_TIMEOUT);
  });
}

/**
 * Starts the service and gives it every message, those that waited first.
 *
 * @param {Request[]} early
 */
async function serve(early) {
  await checkPolicy();
  const pyodide = await Promise.race([loadPython(), timeLimit()]);
  pyodide.pyimport("perc.runtime.kept_methods").use();
  const debug = new URLSearchParams(self.location.search).getAll("debug");
  const service = pyodide.pyimport("perc.runtime.browser").create_service(pyodide.toPy(debug));
  /** @param {Request} request */
  const receive = (request) => service.receive(pyodide.toPy(request));
  self.onmessage = ({ data }) => accept(data, receive);
  for (const request of early.splice(0)) accept(request, receive);
  await service.run();
}

/**
 * @param {Request} request
 * @param {(request: Request) => void} receive
 */
function accept(request, receive) {
  if (OPERATIONS.includes(request.operation)) {
    receive(request);
  } else {
    const message = `there is no operation ${request.operation}`;
    post({ id: request.id, error: { name: "NotSupportedError", message } });
  }
}

/**
 * @param {unknown} error
 * @returns {ErrorDescription}
 */
function describe(error) {
  if (error instanceof StartError) return { name: error.name, message: error.message };
  const message = `the Key Distributor failed: ${error instanceof Error ? error.message : error}`;
  return { name: "OperationError", message };
}

/** @type {Request[]} */
const waiting = [];
self.onmessage = ({ data }) => waiting.push(data);
serve(waiting).catch((error) => post({ event: "failed", error: describe(error) }));
