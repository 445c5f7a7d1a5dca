/**
 * Builds browser/dist/<hash>/, everything that a page loads from /assets/<hash>/:
 *
 *   app/ identity/ key-distributor/ …   the ES modules, in the layout they have in the repository
 *   identity/webrtc-identity.js         the identity shim as one classic script, for pages of others
 *   pyodide/                            Pyodide and its standard library, compiled to .pyc
 *   perc.zip                            the perc package, compiled to .pyc
 *
 * and next to each file its .br and .gz, where that is smaller. <hash> is taken from all inputs, so the
 * server may call every one of these URLs immutable. browser/dist/manifest.json names the newest build.
 *
 * What changes rarely and takes long is kept in browser/dist/.cache. Without changes nothing is done.
 */

import { existsSync } from "node:fs";
import { cp, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { classicScript } from "./classic-script.js";
import { compressAll } from "./compression.js";
import { compilePerc, writePyodide } from "./python.js";
import { digest, modules, percSources, recipe, versionOfPyodide } from "./sources.js";

const browser = fileURLToPath(new URL("..", import.meta.url));
const repository = dirname(join(browser, "."));
const dist = join(browser, "dist");

/** Running servers and open pages may still ask for earlier builds. */
const KEPT_BUILDS = 6;
const KEPT_LAYERS = 12;

/**
 * A directory of finished files that is made once for its key.
 *
 * @param {string} name
 * @param {string} key
 * @param {(directory: string) => Promise<void>} produce fills an empty directory
 * @returns {Promise<string>}
 */
async function layer(name, key, produce) {
  const finished = join(dist, ".cache", `${name}-${key}`);
  if (!existsSync(finished)) {
    await atomically(finished, async (directory) => {
      await produce(directory);
      await compressAll(directory);
    });
  }
  return finished;
}

/**
 * Makes `directory` in one step, so that an interrupted or concurrent build leaves nothing half done.
 *
 * @param {string} directory
 * @param {(unfinished: string) => Promise<void>} produce
 */
async function atomically(directory, produce) {
  const unfinished = join(dist, ".cache", `unfinished-${process.pid}-${Date.now()}`);
  await mkdir(unfinished, { recursive: true });
  try {
    await produce(unfinished);
    await rename(unfinished, directory);
  } catch (error) {
    // Another build was quicker: what it made is the same.
    if (!["ENOTEMPTY", "EEXIST"].includes(error.code)) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/**
 * Hard links: a build shares Pyodide's 20 MB with the cache and with other builds.
 *
 * @param {string} from
 * @param {string} to
 */
async function linkAll(from, to) {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const target = join(to, source.slice(from.length + 1));
    await mkdir(dirname(target), { recursive: true });
    await link(source, target).catch(() => cp(source, target));
  }
}

/**
 * Removes all but the newest directories among `names`.
 *
 * @param {string} parent
 * @param {(name: string) => boolean} belongs
 * @param {number} kept
 */
async function prune(parent, belongs, kept) {
  const names = (await readdir(parent)).filter(belongs);
  const dated = await Promise.all(
    names.map(async (name) => ({ name, time: (await stat(join(parent, name))).mtimeMs })),
  );
  dated.sort((a, b) => b.time - a.time);
  for (const { name } of dated.slice(kept)) await rm(join(parent, name), { recursive: true });
}

/** @returns {Promise<string | undefined>} the hash of the build that the manifest names */
async function current() {
  try {
    const { assets } = JSON.parse(await readFile(join(dist, "manifest.json"), "utf8"));
    return existsSync(join(dist, assets)) ? assets : undefined;
  } catch {
    return undefined; // no manifest, or not one of ours: build anew
  }
}

/** @param {string} hash */
async function writeManifest(hash) {
  const unfinished = join(dist, `.manifest-${process.pid}`);
  await writeFile(unfinished, `${JSON.stringify({ assets: hash })}\n`);
  await rename(unfinished, join(dist, "manifest.json"));
}

/** @returns {Promise<string>} the hash of the build, which is finished when this resolves */
export async function build() {
  const made = await recipe();
  const pages = await modules(browser);
  pages.set("identity/webrtc-identity.js", Buffer.from(classicScript(pages)));
  const package_ = await percSources(join(repository, "polyfill"));
  const version = await versionOfPyodide(repository);
  const pyodideKey = digest([version, made]);
  const percKey = digest([pyodideKey, package_]);
  const pagesKey = digest([made, pages]);
  const hash = digest([pyodideKey, percKey, pagesKey]);
  if ((await current()) === hash) return hash;

  await mkdir(join(dist, ".cache"), { recursive: true });
  const pyodide = await layer("pyodide", pyodideKey, (to) => writePyodide(repository, to));
  const perc = await layer("perc", percKey, (to) =>
    compilePerc(package_, join(pyodide, "pyodide"), join(to, "perc.zip")),
  );
  const app = await layer("pages", pagesKey, async (to) => {
    for (const [path, content] of pages) {
      await mkdir(dirname(join(to, path)), { recursive: true });
      await writeFile(join(to, path), content);
    }
  });
  await atomically(join(dist, hash), async (to) => {
    for (const from of [pyodide, perc, app]) await linkAll(from, to);
  });
  await writeManifest(hash);
  await prune(dist, (name) => /^[0-9a-f]{16}$/.test(name) && name !== hash, KEPT_BUILDS - 1);
  await prune(join(dist, ".cache"), (name) => !name.startsWith("pyodide-"), KEPT_LAYERS);
  return hash;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  // Node would show the line that threw: in Pyodide's case a megabyte of it.
  const failed = (/** @type {Error} */ error) => console.error(`build: ${error.message}`);
  const hash = await build().catch(failed);
  if (hash) console.log(hash);
  process.exit(hash ? 0 : 1); // Pyodide keeps handles open
}
