/** The common vectors of the inner layer and EKT, which the native endpoint reads as well. */

import assert from "node:assert/strict";
import test from "node:test";
import {
  splitEKTField,
  readEKTPlaintext,
  writeEKTPlaintext,
  writeFullEKTField,
} from "../../../../browser/media/worker/ekt-field.js";
import { SendingIndex } from "../../../../browser/media/worker/counters.js";
import { InnerCipher } from "../../../../browser/media/worker/inner-cipher.js";
import { KeyWrap, UnwrapFailed } from "../../../../browser/media/worker/key-wrap.js";
import { writeOriginalHeader } from "../../../../browser/media/worker/original-header.js";
import { ParameterSets } from "../../../../browser/media/worker/parameter-sets.js";
import { FORMATS } from "../../../../browser/media/worker/payload-format.js";
import { InnerReceiver } from "../../../../browser/media/worker/receiver.js";
import { InnerSender } from "../../../../browser/media/worker/sender.js";
import { FrameDropped, Statistics } from "../../../../browser/media/worker/statistics.js";
import { ektKey, hex, octets, vectors } from "./octets.js";

const milliseconds = (seconds) => Math.round(seconds * 1000);

for (const { key, wrapped, plaintext } of vectors("key_wrap_with_padding.json").cases) {
  // RFC 5649 treats a plaintext of one semiblock apart; no EKTPlaintext is that short.
  if (wrapped.length <= 32) continue;
  test(`key wrap with padding: ${wrapped}`, async () => {
    const wrap = await KeyWrap.import(octets(key));
    if (plaintext === null) {
      await assert.rejects(wrap.unwrap(octets(wrapped)), UnwrapFailed);
      return;
    }
    assert.equal(hex(await wrap.unwrap(octets(wrapped))), plaintext);
    assert.equal(hex(await wrap.wrap(octets(plaintext))), wrapped);
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
    const receiver = new InnerReceiver(ssrc, FORMATS[kind], sets, new Statistics());
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
    const sets = new ParameterSets();
    const statistics = new Statistics();
    const receiver = new InnerReceiver(story.ssrc, FORMATS[story.kind], sets, statistics);
    for (const { at, install, receive, expect } of story.steps) {
      if (install) await sets.install(ektKey(install), milliseconds(at));
      else assert.deepEqual(await received(receiver, receive, milliseconds(at)), expect);
    }
    assert.deepEqual(statistics.snapshot(), story.putAside);
  });
}

async function received(receiver, packet, now) {
  const { timestamp, payloadType, sequenceNumber: sequence } = packet;
  const data = octets(packet.payload).buffer;
  try {
    return {
      media: hex(await receiver.unprotect({ data, timestamp, payloadType, sequence }, now)),
    };
  } catch (error) {
    if (error instanceof FrameDropped) return { drop: error.reason };
    throw error;
  }
}

for (const story of vectors("transform/sender.json")) {
  test(`sender: ${story.name}`, async () => {
    const sets = new ParameterSets();
    const sender = new InnerSender(story.ssrc, FORMATS[story.kind], new SendingIndex(7));
    const observer = new Observer(story);
    for (const { at, install, restart, send, expect } of story.steps) {
      const now = milliseconds(at);
      if (install) {
        await sets.install(ektKey(install), now);
        observer.keys.set(install.spi, ektKey(install));
      } else if (restart) {
        sender.restart();
      } else {
        const set = sets.outbound(now);
        if (typeof set === "string") {
          assert.deepEqual({ stop: set }, expect);
          continue;
        }
        const media = new Uint8Array(5);
        const frame = {
          data: media.buffer,
          payloadType: 96,
          timestamp: now,
          isKeyFrame: send.keyFrame,
        };
        const payload = new Uint8Array(await sender.protect(frame, set, now));
        assert.deepEqual(await observer.see(payload, now), expect);
      }
    }
  });
}

/** Reads what a sender sends, as a receiver of every EKTKey could. */
class Observer {
  /** @type {Map<number, object>} by SPI */
  keys = new Map();
  /** @type {{ octets: string, cipher: InnerCipher }[]} in the order in which they were told */
  masterKeys = [];

  constructor({ ssrc, kind }) {
    this.ssrc = ssrc;
    this.format = FORMATS[kind];
  }

  async see(payload, timestamp) {
    const { body, field } = splitEKTField(payload);
    if (field !== null) await this.learn(field);
    const fullEKTField = field && { spi: field.spi, epoch: field.epoch };
    return { fullEKTField, masterKey: await this.find(body, timestamp) };
  }

  async learn({ spi, ciphertext }) {
    const { key, salt } = this.keys.get(spi);
    const wrap = await KeyWrap.import(key);
    const { masterKey } = readEKTPlaintext(await wrap.unwrap(ciphertext));
    if (this.masterKeys.some(({ octets: known }) => known === hex(masterKey))) return;
    this.masterKeys.push({
      octets: hex(masterKey),
      cipher: await InnerCipher.derive(masterKey, salt),
    });
  }

  async find(body, timestamp) {
    const prefix = this.format.readPrefix(body);
    const index = (body.at(-3) << 8) | body.at(-2);
    const { marker } = this.format;
    const header = { ssrc: this.ssrc, timestamp, payloadType: 96, marker, index };
    const ciphertext = body.subarray(prefix.length, -4);
    for (const [number, { cipher }] of this.masterKeys.entries()) {
      const media = await cipher.open(header, prefix, ciphertext).catch(() => null);
      if (media !== null) return number;
    }
    return "unknown";
  }
}
