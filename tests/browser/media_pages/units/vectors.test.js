/** Published vectors, and the common ones of the inner layer and EKT, which the native endpoint reads as well. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import {
  splitEKTField,
  writeEKTPlaintext,
  writeFullEKTField,
} from "../../../../browser/media/worker/ekt-field.js";
import * as innerCipher from "../../../../browser/media/worker/inner-cipher.js";
import * as keyWrapping from "../../../../browser/media/worker/key-wrap.js";
import { writeOriginalHeader } from "../../../../browser/media/worker/original-header.js";
import { ParameterSets } from "../../../../browser/media/worker/parameter-sets.js";
import { FORMATS } from "../../../../browser/media/worker/payload-format.js";
import { InnerReceiver } from "../../../../browser/media/worker/receiver.js";
import { ReceiverKeys } from "../../../../browser/media/worker/receiver-keys.js";
import { FrameDropped, Statistics } from "../../../../browser/media/worker/statistics.js";
import { ektKey, hex, octets } from "./octets.js";
import { innerPacket, keyWrap, sessionKey } from "./published.js";
import { receiverOutcomes, senderOutcomes } from "./stories.js";

const { InnerCipher } = innerCipher;
const { KeyWrap } = keyWrapping;

for (const vector of vectors("key_wrap_with_padding.json").cases) {
  // RFC 5649 treats a plaintext of one semiblock apart; no EKTPlaintext is that short.
  if (vector.wrapped.length <= 32) continue;
  test(`key wrap with padding: ${vector.wrapped}`, async () => {
    assert.deepEqual(await keyWrap(keyWrapping, vector), vector);
  });
}

for (const vector of vectors("srtp_key_derivation.json").cases) {
  test(`session key: ${vector.label} of ${vector.master_key}`, async () => {
    assert.deepEqual(await sessionKey(innerCipher, vector), vector);
  });
}

for (const vector of vectors("srtp_aes_gcm.json").cases) {
  test(`packet: ${vector.sealed}`, async () => {
    assert.deepEqual(await innerPacket(innerCipher, vector), vector);
  });
}

for (const vector of vectors("transform/payloads.json")) {
  test(`payload: ${vector.name}`, async () => {
    const { kind, keyFrame, ssrc, index, payloadType, timestamp } = vector;
    const { marker, prefixOf } = FORMATS[kind];
    const ekt = ektKey(vector.ektKey);
    const masterKey = octets(vector.masterKey);
    const cipher = await InnerCipher.derive(masterKey, ekt.salt);
    const prefix = prefixOf(keyFrame);
    const header = { ssrc, timestamp, payloadType, marker, index };
    const sealed = new Uint8Array(await cipher.seal(header, prefix, octets(vector.media)));
    const block = new Uint8Array(4);
    writeOriginalHeader(block, 0, { payloadType, sequence: index % 0x10000, marker });
    assert.equal(hex(prefix) + hex(sealed) + hex(block), vector.protected);

    const wrap = await KeyWrap.import(ekt.key);
    const plaintext = writeEKTPlaintext({ masterKey, ssrc, roc: Math.floor(index / 0x10000) });
    const ciphertext = await wrap.wrap(plaintext);
    const field = writeFullEKTField({ ciphertext, spi: ekt.spi, epoch: vector.epoch });
    assert.equal(hex(field), vector.fullEKTField);

    const sets = new ParameterSets();
    await sets.install(ekt, 0);
    const receiver = new InnerReceiver(
      ssrc,
      FORMATS[kind],
      new ReceiverKeys(ssrc, sets, new Statistics()),
    );
    const data = octets(vector.withFullEKTField).buffer;
    const media = await receiver.unprotect({ data, timestamp, payloadType, sequence: 0 }, 0);
    assert.equal(hex(media), vector.media);
  });
}

for (const vector of vectors("transform/fields.json")) {
  test(`field: ${vector.name}`, () => {
    const split = () => splitEKTField(octets(vector.payload));
    if (vector.malformed) {
      assert.throws(
        split,
        (error) => error instanceof FrameDropped && error.reason === "malformed",
      );
      return;
    }
    const { body, field, unknownType } = split();
    assert.equal(hex(body), vector.rest);
    assert.equal(unknownType, vector.field.type === "unknown");
    const { type, ...expected } = vector.field;
    if (type === "full")
      assert.deepEqual({ ...field, ciphertext: hex(field.ciphertext) }, expected);
    else assert.equal(field, null);
  });
}

for (const story of vectors("transform/receiver.json")) {
  test(`receiver: ${story.name}`, async () => {
    const { outcomes, putAside } = await receiverOutcomes(story);
    assert.deepEqual(outcomes, story.steps.map(expected));
    assert.deepEqual(putAside, story.putAside);
  });
}

for (const story of vectors("transform/sender.json")) {
  test(`sender: ${story.name}`, async () => {
    const { outcomes } = await senderOutcomes(story);
    assert.deepEqual(outcomes, story.steps.map(expected));
  });
}

function expected({ install, restart, refused, expect }) {
  if (restart) return { restarted: true };
  if (install) return refused ? { refused: install.spi } : { installed: install.spi };
  return expect;
}

/** @param {string} path within tests/vectors */
function vectors(path) {
  return JSON.parse(readFileSync(new URL(`../../../vectors/${path}`, import.meta.url), "utf8"));
}
