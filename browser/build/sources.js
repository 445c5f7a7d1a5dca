/** The inputs of a build and the digest that names them. */

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {Map<string, Buffer>} Files content by path, sorted by path */

/** Not for the page: this script, what it writes, the tools' configuration, what only the type checker reads. */
const NOT_SERVED = /^(build|dist)$|^[^/]+\.(js|json)$|\.d\.ts$|(^|\/)\./;

/**
 * @param {string} directory
 * @param {(path: string) => boolean} wanted asked for directories, too: of an unwanted one nothing is read
 * @returns {Promise<Files>}
 */
async function read(directory, wanted) {
  /** @type {[string, Buffer][]} */
  const files = [];
  /** @param {string} folder */
  const visit = async (folder) => {
    const entries = await readdir(join(directory, folder), { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = folder + entry.name;
      if (entry.isDirectory() && wanted(path)) await visit(`${path}/`);
      if (entry.isFile() && wanted(path)) files.push([path, await readFile(join(directory, path))]);
    }
  };
  await visit("");
  return new Map(files);
}

/**
 * The page and its modules, in the layout of the repository.
 *
 * @param {string} browser
 */
export function modules(browser) {
  return read(browser, (path) => !NOT_SERVED.test(path));
}

/**
 * The modules of perc that run in a browser.
 *
 * @param {string} polyfill
 */
export function percSources(polyfill) {
  // crypto/pyca.py is CPython's provider; `cryptography` does not exist in the browser.
  return read(
    polyfill,
    (path) => /(^|\/)[^.]+(\.py)?$/.test(path) && path !== "perc/crypto/pyca.py",
  );
}

/** How things are made: a change of the recipe is a change of what it makes. */
export function recipe() {
  return read(fileURLToPath(new URL(".", import.meta.url)), (path) =>
    /^[^.]+\.(js|py)$/.test(path),
  );
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
