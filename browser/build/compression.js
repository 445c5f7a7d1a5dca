/** Compressed siblings, made once here so that no server compresses anything while a page waits. */

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Level 11 would make the whole 11 % smaller, and the first build 40 s longer. */
const BROTLI_LEVEL = 9;
/** The standard library repeats itself over more than the default 4 MB. */
const BROTLI_WINDOW_BITS = 24;
/** A sibling that saves less than this is not worth a file. */
const WORTHWHILE = 0.95;

/** @type {Record<string, (content: Buffer) => Promise<Buffer>>} */
const ENCODINGS = {
  br: (content) =>
    promisify(brotliCompress)(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_LEVEL,
        [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }),
  gz: (content) => promisify(gzip)(content, { level: constants.Z_BEST_COMPRESSION }),
};

/** @param {string} file */
async function compress(file) {
  const content = await readFile(file);
  for (const [suffix, encode] of Object.entries(ENCODINGS)) {
    const encoded = await encode(content);
    if (encoded.length < content.length * WORTHWHILE) await writeFile(`${file}.${suffix}`, encoded);
  }
}

/**
 * Writes .br and .gz next to every file under `directory` that they make smaller.
 *
 * @param {string} directory
 */
export async function compressAll(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  await Promise.all(files.map((entry) => compress(join(entry.parentPath, entry.name))));
}
