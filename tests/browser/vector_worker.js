/** Runs tests/vectors/provider_vectors.py against WebCryptoProvider, in a Worker as the Key Distributor's. */

import { watchKeys } from "./key_watch.js";

const FILES = [
  "provider_vectors.py",
  "webcrypto_private_keys.py",
  "aes_ctr.json",
  "aes_gcm.json",
  "key_agreement.json",
  "key_wrap_with_padding.json",
  "signatures.json",
  "srtp_key_derivation.json",
  "tls12_prf.json",
  "tls13_key_schedule.json",
];

const RUN = `
import provider_vectors
from webcrypto_private_keys import import_private_key
from perc.crypto.webcrypto import WebCryptoProvider
await provider_vectors.check_all(WebCryptoProvider(), import_private_key)
`;

/** @param {URL} url */
async function fetchBytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * @param {any} fileSystem
 * @param {string} assets
 */
async function install(fileSystem, assets) {
  fileSystem.writeFile("/perc.zip", await fetchBytes(new URL(`${assets}/perc.zip`, self.origin)));
  fileSystem.mkdir("/vectors");
  for (const name of FILES) {
    const content = await fetchBytes(new URL(`../vectors/${name}`, import.meta.url));
    fileSystem.writeFile(`/vectors/${name}`, content);
  }
}

/** @param {string} assets */
async function run(assets) {
  const { loadPyodide } = await import(`${assets}/pyodide/pyodide.mjs`);
  const pyodide = await loadPyodide({
    env: { PYTHONPATH: "/perc.zip:/vectors" },
    fsInit: (fileSystem) => install(fileSystem, assets),
  });
  const keys = watchKeys();
  const counts = await pyodide.runPythonAsync(RUN);
  return { counts: counts.toJs({ dict_converter: Object.fromEntries }), keys };
}

self.onmessage = ({ data }) =>
  run(data).then(
    (result) => self.postMessage(result),
    (error) => self.postMessage({ error: String(error) }),
  );
