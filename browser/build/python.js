/**
 * Pyodide's files, and Python compiled by Pyodide itself: only the interpreter that will load a .pyc can write it.
 */

import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { loadPyodide } from "pyodide";

const COMPILER = new URL("compile_zip.py", import.meta.url);

/** What `loadPyodide` asks for, besides the standard library and the lock file. */
const RUNTIME = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"];

/**
 * Fills `directory` with pyodide/: the runtime, and its standard library compiled and stripped.
 *
 * @param {string} repository
 * @param {string} directory
 */
export async function writePyodide(repository, directory) {
  const from = join(repository, "node_modules", "pyodide");
  const to = join(directory, "pyodide");
  await mkdir(to);
  for (const name of RUNTIME) await copyFile(join(from, name), join(to, name));
  await writeLock(join(from, "pyodide-lock.json"), join(to, "pyodide-lock.json"));
  await writeStandardLibrary(join(from, "python_stdlib.zip"), join(to, "python_stdlib.zip"));
}

/**
 * The lock file lists 300 packages for `loadPackage`; the project loads none.
 *
 * @param {string} from
 * @param {string} to
 */
async function writeLock(from, to) {
  const { info } = JSON.parse(await readFile(from, "utf8"));
  await writeFile(to, JSON.stringify({ info, packages: {} }));
}

/**
 * @param {string} from
 * @param {string} to
 */
async function writeStandardLibrary(from, to) {
  try {
    const pyodide = await loadPyodide();
    const compiler = load(pyodide, await readFile(COMPILER, "utf8"));
    const compiled = compiler.compile_standard_library(plain(await readFile(from)));
    await writeFile(to, take(compiled));
  } catch (error) {
    // The stock library works as well; it only costs two seconds at each start.
    console.warn("The standard library was not compiled; the stock one is used.", error);
    await copyFile(from, to);
  }
}

/**
 * Writes the perc package as a zip of .pyc.
 *
 * @param {import("./sources.js").Files} sources
 * @param {string} pyodideDirectory with the compiled standard library, for a quick start
 * @param {string} to
 */
export async function compilePerc(sources, pyodideDirectory, to) {
  const pyodide = await loadPyodide({ stdLibURL: join(pyodideDirectory, "python_stdlib.zip") });
  const compiler = load(pyodide, await readFile(COMPILER, "utf8"));
  const files = new Map([...sources].map(([path, content]) => [path, plain(content)]));
  await writeFile(to, take(compiler.compile_package(pyodide.toPy(files))));
}

/**
 * @param {any} pyodide
 * @param {string} source
 */
function load(pyodide, source) {
  pyodide.FS.writeFile("/home/pyodide/compile_zip.py", source);
  return pyodide.pyimport("compile_zip");
}

/**
 * Node's Buffer is not a typed array that Pyodide knows.
 *
 * @param {Buffer} buffer
 */
function plain(buffer) {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/**
 * @param {any} bytes a proxy of Python's bytes
 * @returns {Uint8Array}
 */
function take(bytes) {
  const copy = bytes.toJs();
  bytes.destroy();
  return copy;
}
