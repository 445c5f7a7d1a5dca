/** Published vectors through the transform Worker's modules as the build has them, in a Worker as theirs. */

import { innerPacket, keyWrap, sessionKey } from "./units/published.js";

/** By the name of the vectors: the module, and what is asked of it. */
const ASKED = {
  key_wrap_with_padding: ["key-wrap.js", keyWrap],
  srtp_key_derivation: ["inner-cipher.js", sessionKey],
  srtp_aes_gcm: ["inner-cipher.js", innerPacket],
};

async function run({ assets, vectors }) {
  const found = {};
  for (const [name, cases] of Object.entries(vectors)) {
    const [file, ask] = ASKED[name];
    const module = await import(`${assets}/media/worker/${file}`);
    found[name] = [];
    for (const vector of cases) found[name].push(await ask(module, vector));
  }
  return { found };
}

self.onmessage = ({ data }) =>
  run(data).then(
    (result) => self.postMessage(result),
    (error) => self.postMessage({ error: String(error) }),
  );
