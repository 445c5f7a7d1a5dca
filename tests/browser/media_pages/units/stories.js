/** Plays the stories of the common vectors to the transform Worker's sender and receiver. */

import { SendingIndex } from "../../../../browser/media/worker/counters.js";
import { readEKTPlaintext, splitEKTField } from "../../../../browser/media/worker/ekt-field.js";
import { InnerCipher } from "../../../../browser/media/worker/inner-cipher.js";
import { KeyWrap } from "../../../../browser/media/worker/key-wrap.js";
import { ParameterSets } from "../../../../browser/media/worker/parameter-sets.js";
import { FORMATS } from "../../../../browser/media/worker/payload-format.js";
import { InnerReceiver } from "../../../../browser/media/worker/receiver.js";
import { ReceiverKeys } from "../../../../browser/media/worker/receiver-keys.js";
import { InnerSender } from "../../../../browser/media/worker/sender.js";
import { FrameDropped, Statistics } from "../../../../browser/media/worker/statistics.js";
import { DecodeError } from "../../../../browser/media/worker/wire.js";
import { ektKey, hex, octets } from "./octets.js";

const milliseconds = (seconds) => Math.round(seconds * 1000);

/** What becomes of every step of a receiver's story, and the fields that were put aside. */
export async function receiverOutcomes({ ssrc, kind, steps }) {
  const sets = new ParameterSets();
  const statistics = new Statistics();
  const receiver = new InnerReceiver(ssrc, FORMATS[kind], new ReceiverKeys(ssrc, sets, statistics));
  const outcomes = [];
  for (const { at, install, receive } of steps) {
    const now = milliseconds(at);
    outcomes.push(
      install ? await installed(sets, install, now) : await received(receiver, receive, now),
    );
  }
  return { outcomes, putAside: statistics.snapshot() };
}

async function installed(sets, key, now) {
  try {
    await sets.install(ektKey(key), now);
    return { installed: key.spi };
  } catch (error) {
    if (error instanceof DecodeError) return { refused: key.spi };
    throw error;
  }
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

/** What becomes of every step of a sender's story. */
export async function senderOutcomes(story) {
  const sets = new ParameterSets();
  const sender = new InnerSender(story.ssrc, FORMATS[story.kind], { index: new SendingIndex(7) });
  const observer = new Observer(story);
  const outcomes = [];
  for (const { at, install, restart, send } of story.steps) {
    const now = milliseconds(at);
    if (install) {
      outcomes.push(await installed(sets, install, now));
      observer.keys.set(install.spi, ektKey(install));
    } else if (restart) {
      sender.restart();
      outcomes.push({ restarted: true });
    } else {
      outcomes.push(await sent({ sets, sender, observer }, send, now));
    }
  }
  return { outcomes };
}

async function sent({ sets, sender, observer }, { keyFrame: isKeyFrame }, now) {
  const set = sets.outbound(now);
  if (typeof set === "string") return { stop: set };
  const frame = { data: new ArrayBuffer(5), payloadType: 96, timestamp: now, isKeyFrame };
  const payload = new Uint8Array(await sender.protect(frame, set, now));
  return observer.see(payload, now);
}

/** Reads what a sender sends, as a receiver of every EKTKey could. */
class Observer {
  /** @type {Map<number, object>} by SPI */
  keys = new Map();
  /** @type {{ octets: string, cipher: InnerCipher }[]} in the order in which they were told */
  masterKeys = [];

  constructor({ ssrc, kind, masterKeyLength }) {
    this.ssrc = ssrc;
    this.format = FORMATS[kind];
    this.masterKeyLength = masterKeyLength;
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
    if (masterKey.length !== this.masterKeyLength) throw new Error("a master key of that length");
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
