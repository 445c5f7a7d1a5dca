/**
 * Published vectors through the transform Worker's modules, which Node has from the repository and a browser from its
 * build. Each function says what the modules make of a case, in the form of the case.
 */

import { hex, octets } from "./octets.js";

const LABELS = { RTP_ENCRYPTION: 0, RTP_AUTHENTICATION: 1, RTP_SALT: 2 }; // RFC 3711, Section 4.3.1

/** AES Key Wrap with Padding: what is unwrapped, and wrapped again; a plaintext of null is none. */
export async function keyWrap({ KeyWrap, UnwrapFailed }, { key, wrapped }) {
  const wrap = await KeyWrap.import(octets(key));
  try {
    const plaintext = await wrap.unwrap(octets(wrapped));
    return { key, wrapped: hex(await wrap.wrap(plaintext)), plaintext: hex(plaintext) };
  } catch (error) {
    if (!(error instanceof UnwrapFailed)) throw error;
    return { key, wrapped, plaintext: null };
  }
}

/** The key derivation function of SRTP. */
export async function sessionKey({ deriveSessionKey }, vector) {
  const { master_key, master_salt, label, key } = vector;
  const prf = await importKey("AES-CTR", master_key);
  const derived = await deriveSessionKey(prf, octets(master_salt), LABELS[label], key.length / 2);
  return { ...vector, key: hex(derived) };
}

/** One SRTP packet under a session key: sealed, and opened again. */
export async function innerPacket({ InnerCipher }, { key, salt, header, plaintext }) {
  const cipher = new InnerCipher(await importKey("AES-GCM", key), octets(salt));
  const fields = readHeader(new DataView(octets(header).buffer));
  const sealed = await cipher.seal(fields, new Uint8Array(0), octets(plaintext));
  const opened = await cipher.open(fields, new Uint8Array(0), sealed);
  return { key, salt, header, plaintext: hex(opened), sealed: hex(sealed) };
}

async function importKey(algorithm, key) {
  return crypto.subtle.importKey("raw", octets(key), algorithm, false, ["encrypt", "decrypt"]);
}

/** An RTP header (RFC 3550, Section 5.1), with a rollover counter of zero. */
function readHeader(view) {
  return {
    marker: view.getUint8(1) >> 7 === 1,
    payloadType: view.getUint8(1) & 0x7f,
    index: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
  };
}
