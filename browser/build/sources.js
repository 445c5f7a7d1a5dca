/** The inputs of a build and the digest that names them. */

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {Map<string, Buffer>} Files content by path, sorted by path */

/** Not for the page: this script, what it writes, and what only the type checker reads. */
const NOT_SERVED = /^(build|dist)\/|^[^/]+$|\.d\.ts$|(^|\/)\./;

/**
 * @param {string} directory
 * @param {(path: string) => boolean} wanted
 * @returns {Promise<Files>}
 */
async function read(directory, wanted) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter(wanted)
    .sort();
  const contents = await Promise.all(paths.map((path) => readFile(join(directory, path))));
  return new Map(paths.map((path, index) => [path, contents[index]]));
}

/**
 * The rooms of browser/, as the page loads them.
 *
 * @param {string} browser
 */
export async function modules(browser) {
  const rooms = (await readdir(browser, { withFileTypes: true })).filter(
    (entry) => entry.isDirectory() && !NOT_SERVED.test(`${entry.name}/`),
  );
  /** @type {Files} */
  const files = new Map();
  for (const { name } of rooms) {
    const room = await read(join(browser, name), (path) => !NOT_SERVED.test(`${name}/${path}`));
    for (const [path, content] of room) files.set(`${name}/${path}`, content);
  }
  return files;
}

/**
 * The modules of perc that run in a browser.
 *
 * @param {string} polyfill
 */
export function percSources(polyfill) {
  // crypto/pyca.py is CPython's provider; `cryptography` does not exist in the browser.
  return read(polyfill, (path) => path.endsWith(".py") && path !== "perc/crypto/pyca.py");
}

/** How things are made: a change of the recipe is a change of what it makes. */
export function recipe() {
  return read(fileURLToPath(new URL(".", import.meta.url)), (path) => /\.(js|py)$/.test(path));
}

/** @param {string} repository */
export async function versionOfPyodide(repository) {
  const manifest = join(repository, "node_modules", "pyodide", "package.json");
  return JSON.parse(await readFile(manifest, "utf8")).version;
}

/**
 * @param {(string | Files)[]} inputs
 * @returns {string} 64 bits of SHA-256, in hexadecimal
 */
export function digest(inputs) {
  const hash = createHash("sha256");
  /** @param {string | Buffer} value */
  const add = (value) => hash.update(`${Buffer.byteLength(value)}:`).update(value);
  for (const input of inputs) {
    if (typeof input === "string") add(input);
    else for (const [path, content] of input) (add(path), add(content));
    hash.update(";");
  }
  return hash.digest("hex").slice(0, 16);
}
