/** Published vectors through the transform Worker's modules as the build has them, in a Worker as theirs. */

import { watchKeys } from "../key_watch.js";
import { innerPacket, keyWrap, sessionKey } from "./units/published.js";

/** By the name of the vectors: the module, and what is asked of it. */
const ASKED = {
  key_wrap_with_padding: ["key-wrap.js", keyWrap],
  srtp_key_derivation: ["inner-cipher.js", sessionKey],
  srtp_aes_gcm: ["inner-cipher.js", innerPacket],
};

async function run({ assets, vectors }) {
  const keys = watchKeys();
  const found = {};
  for (const [name, cases] of Object.entries(vectors)) {
    const [file, ask] = ASKED[name];
    const module = await import(`${assets}/media/worker/${file}`);
    found[name] = [];
    for (const vector of cases) found[name].push(await ask(module, vector));
  }
  // The vectors bring session keys along; this is how the product comes by its own.
  const { InnerCipher } = await import(`${assets}/media/worker/inner-cipher.js`);
  await InnerCipher.derive(new Uint8Array(16), new Uint8Array(12));
  return { found, keys };
}

self.onmessage = ({ data }) =>
  run(data).then(
    (result) => self.postMessage(result),
    (error) => self.postMessage({ error: String(error) }),
  );
