/**
 * One classic script from the identity shim's modules, for pages of others: `<script src="webrtc-identity.js">` before
 * anything else, and RTCPeerConnection has W3C webrtc-identity. It needs no other file and no configuration.
 *
 *     node browser/build/classic-script.js > webrtc-identity.js
 *
 * Not a bundler for any code: it knows the forms of import and export that this repository uses, and refuses others.
 */

import { createHash } from "node:crypto";
import { fileURLToPath, pathToFileURL } from "node:url";

import { modules } from "./sources.js";

const FOLDER = "identity/";
const ENTRY = "index.js";
const SANDBOX_PAGE = "sandbox-page.js"; // the one module that knows where its files are

const IMPORT = /^import (?<names>\{[^}]*\}) from "\.\/(?<path>[\w-]+\.js)";\n/gm;
const REEXPORT = /^export (?<names>\{[^}]*\}) from "\.\/(?<path>[\w-]+\.js)";\n/gm;
const LIST = /^export \{(?<names>[^}]*)\};\n/gm;
const DECLARATION = /^export (?=(?:async )?(?:function|class|const) (?<name>\w+))/gm;
const LEFT_OVER = /^(?:import|export)\b|\bimport\.meta\b/m;

/** @typedef {Map<string, Buffer>} Files content by path */

/**
 * @param {Files} files those of browser/
 * @returns {string}
 */
export function classicScript(files) {
  const order = inOrder(files, ENTRY);
  const text = order.map((path) => wrapped(path, source(files, path))).join("\n");
  return `(() => {\n"use strict";\n\n${text}\n${nameOf(ENTRY)}.apply(window);\n})();\n`;
}

/**
 * @param {Files} files
 * @param {string} path
 */
function source(files, path) {
  if (path === SANDBOX_PAGE) {
    return `export const SANDBOX_PAGE = { srcdoc: ${JSON.stringify(sandboxPage(files))} };\n`;
  }
  return read(files, path);
}

/**
 * The sandbox in a string. Its policy names the digests of its scripts, since to its opaque origin nothing is 'self'.
 *
 * @param {Files} files
 */
function sandboxPage(files) {
  /** @type {string[]} */
  const digests = [];
  const html = read(files, "sandbox/sandbox.html").replace(
    /<script src="(?<path>[^"]+)"><\/script>/g,
    (_, path) => {
      const script = read(files, `sandbox/${path}`);
      digests.push(`'sha256-${createHash("sha256").update(script).digest("base64")}'`);
      return `<script>${script}</script>`;
    },
  );
  return html.replace("script-src 'self'", () => `script-src ${digests.join(" ")}`);
}

/**
 * A module as a function: what it exports are the members of what it returns.
 *
 * @param {string} path
 * @param {string} text
 */
function wrapped(path, text) {
  /** @type {string[]} */
  const exported = [];
  const bind = (/** @type {string} */ names, /** @type {string} */ from) =>
    `const ${names.replaceAll(" as ", ": ")} = ${nameOf(from)};\n`;
  const body = text
    .replace(IMPORT, (_, names, from) => bind(names, from))
    .replace(REEXPORT, (_, names, from) => (exported.push(...split(names)), bind(names, from)))
    .replace(LIST, (_, names) => (exported.push(...split(names)), ""))
    .replace(DECLARATION, (_, name) => (exported.push(name), ""));
  const left = LEFT_OVER.exec(body);
  if (left) throw new Error(`${path}: "${left[0]}" in a form that is not understood`);
  return `const ${nameOf(path)} = (() => {\n${body}return { ${exported.join(", ")} };\n})();\n`;
}

/**
 * The modules that `path` needs, each after those that it needs itself.
 *
 * @param {Files} files
 * @param {string} path
 * @param {string[]} [above]
 * @returns {string[]}
 */
function inOrder(files, path, above = []) {
  if (above.includes(path)) throw new Error(`a cycle: ${[...above, path].join(" → ")}`);
  const text = source(files, path);
  const needed = [...text.matchAll(IMPORT), ...text.matchAll(REEXPORT)].map(([, , from]) => from);
  const order = needed.flatMap((from) => inOrder(files, from ?? "", [...above, path]));
  return [...new Set([...order, path])];
}

/**
 * @param {Files} files
 * @param {string} path
 */
function read(files, path) {
  const content = files.get(FOLDER + path);
  if (!content) throw new Error(`there is no ${FOLDER}${path}`);
  return content.toString();
}

/** @param {string} path @returns {string} an identifier */
function nameOf(path) {
  return `$${path.replace(/\.js$/, "").replaceAll("-", "_")}`;
}

/** @param {string} names @returns {string[]} */
function split(names) {
  return names.split(/[{},\s]+/).filter(Boolean);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const browser = fileURLToPath(new URL("..", import.meta.url));
  process.stdout.write(classicScript(await modules(browser)));
}
