/** A record of every key that WebCrypto makes or takes in this realm from now on. */

const MAKERS = ["generateKey", "importKey", "deriveKey", "unwrapKey"];

/** The record, which grows: `maker`, `algorithm`, `curve`, `type` and `extractable` of each key. */
export function watchKeys() {
  const record = [];
  for (const maker of MAKERS) {
    const make = SubtleCrypto.prototype[maker];
    SubtleCrypto.prototype[maker] = async function (...parameters) {
      const made = await make.apply(this, parameters);
      const keys = made instanceof CryptoKey ? [made] : Object.values(made);
      for (const { algorithm, type, extractable } of keys) {
        const { name, namedCurve = null } = algorithm;
        record.push({ maker, algorithm: name, curve: namedCurve, type, extractable });
      }
      return made;
    };
  }
  return record;
}
