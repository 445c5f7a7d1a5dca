import assert from "node:assert/strict";
import test from "node:test";
import { SendingIndex } from "../../../../browser/media/worker/counters.js";
import { splitEKTField } from "../../../../browser/media/worker/ekt-field.js";
import { ParameterSets } from "../../../../browser/media/worker/parameter-sets.js";
import { FORMATS } from "../../../../browser/media/worker/payload-format.js";
import { InnerReceiver } from "../../../../browser/media/worker/receiver.js";
import { ReceiverKeys } from "../../../../browser/media/worker/receiver-keys.js";
import { InnerSender } from "../../../../browser/media/worker/sender.js";
import { FrameDropped, Statistics } from "../../../../browser/media/worker/statistics.js";

const SSRC = 0xdecafbad;

async function setsWith(...keys) {
  const sets = new ParameterSets();
  for (const { spi, now = 0, ttl = 300 } of keys) await sets.install(ektKey(spi, ttl), now);
  return sets;
}

function ektKey(spi, ttl = 300) {
  const key = new Uint8Array(16).fill(spi);
  return { type: "ekt_key", key, salt: new Uint8Array(12).fill(spi + 100), spi, ttl };
}

/** A sender and a receiver of one SSRC, who share their EKTKeys. */
class Pair {
  timestamp = 1000;
  statistics = new Statistics();

  constructor(sets, kind = "audio", receiverSets = sets) {
    this.sets = sets;
    this.sender = new InnerSender(SSRC, FORMATS[kind]);
    this.receiver = new InnerReceiver(
      SSRC,
      FORMATS[kind],
      new ReceiverKeys(SSRC, receiverSets, this.statistics),
    );
  }

  async send(text, now = 0, isKeyFrame = false) {
    this.timestamp += 960;
    const { timestamp } = this;
    const data = new TextEncoder().encode(text).buffer;
    const frame = { data, payloadType: 111, timestamp, isKeyFrame };
    const payload = await this.sender.protect(frame, this.sets.outbound(now), now);
    return { data: payload, timestamp, payloadType: 96, sequence: 9999 };
  }

  async receive(packet, now = 0) {
    return new TextDecoder().decode(await this.receiver.unprotect(packet, now));
  }
}

const dropped = (reason) => (error) => error instanceof FrameDropped && error.reason === reason;
const fieldOf = ({ data }) => splitEKTField(new Uint8Array(data)).field;
const isFull = (packet) => fieldOf(packet) !== null;

test("audio and video come through", async () => {
  for (const kind of ["audio", "video"]) {
    const pair = new Pair(await setsWith({ spi: 1 }), kind);
    assert.equal(await pair.receive(await pair.send("one", 0, true)), "one");
    assert.equal(await pair.receive(await pair.send("two")), "two");
  }
});

test("the payload ends in tag, OHB with PT, SEQ and marker, and the field", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  for (let count = 0; count < 3; count++) await pair.send("x");
  const octets = new Uint8Array((await pair.send("hello", 1)).data);
  assert.equal(octets.length, 5 + 16 + 4 + 1);
  assert.equal(octets.at(-5), 111);
  assert.equal(octets.at(-2), 0x07);
  assert.equal(octets.at(-1), 0);
});

test("a video frame keeps a constant prefix and nothing of itself", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }), "video");
  const key = new Uint8Array((await pair.send("key frame", 0, true)).data);
  const delta = new Uint8Array((await pair.send("delta", 0)).data);
  assert.deepEqual([...key.subarray(0, 10)], [0x10, 2, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0]);
  assert.equal(delta[0], 1);
  assert.equal(splitEKTField(key).body.at(-1), 0x0f);
});

test("full fields: the first three, then each 100 ms of audio", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  const full = [];
  for (let now = 0; now < 300; now += 20) full.push(isFull(await pair.send("x", now)));
  const at = full.flatMap((isFullField, index) => (isFullField ? index * 20 : []));
  assert.deepEqual(at, [0, 20, 40, 140, 240]);
});

test("full fields of video: the first three, then each key frame", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }), "video");
  const full = [];
  for (let frame = 0; frame < 8; frame++) {
    full.push(isFull(await pair.send("x", frame * 200, frame === 0 || frame === 6)));
  }
  assert.deepEqual(full, [true, true, true, false, false, false, true, false]);
});

test("a FullEKTField of AES-128 has 47 octets", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  const { data } = await pair.send("");
  assert.equal(data.byteLength, 16 + 4 + 47);
});

test("after a rekey the old key goes on for 250 ms while the new one is told", async () => {
  const sets = await setsWith({ spi: 1 });
  const late = await setsWith({ spi: 1 });
  const pair = new Pair(sets);
  await pair.receive(await pair.send("old"));
  await sets.install(ektKey(2), 1000);
  const fields = [];
  for (const now of [1000, 1020, 1040, 1060, 1249, 1250, 1270]) {
    const packet = await pair.send(String(now), now);
    assert.equal(await pair.receive(packet, now), String(now));
    fields.push(fieldOf(packet)?.spi ?? 0);
    assert.equal(pair.sender.activeSpi, now < 1250 ? 1 : 2);
  }
  assert.deepEqual(fields, [2, 2, 2, 0, 2, 0, 0]);
  const stranger = new InnerReceiver(
    SSRC,
    FORMATS.audio,
    new ReceiverKeys(SSRC, late, new Statistics()),
  );
  await assert.rejects(
    stranger.unprotect(await pair.send("new", 1400), 1400),
    dropped("unknown-spi"),
  );
});

test("rekeys that overlap lose nothing, not even frames that were overtaken", async () => {
  const sets = await setsWith({ spi: 1 });
  const pair = new Pair(sets);
  await pair.receive(await pair.send("first"));
  let late = await pair.send("late");
  for (const spi of [2, 3, 4]) {
    const installed = spi * 200;
    await sets.install(ektKey(spi), installed);
    for (let now = installed; now < installed + 200; now += 20) {
      const [packet, overtaken] = [await pair.send(String(now), now), late];
      assert.equal(await pair.receive(packet, now), String(now));
      await pair.receive(overtaken, now);
      late = await pair.send("late", now);
    }
  }
});

test("the same index is never taken twice, across keys and transforms", async () => {
  const sets = await setsWith({ spi: 1 });
  const pair = new Pair(sets);
  const indices = new Set();
  for (let now = 0; now < 400; now += 20) {
    if (now === 100) await sets.install(ektKey(2), now);
    if (now === 200) pair.sender.restart();
    const body = splitEKTField(new Uint8Array((await pair.send("x", now)).data)).body;
    indices.add((body.at(-3) << 8) | body.at(-2));
  }
  assert.equal(indices.size, 20);
});

test("a new transform takes a new master key with a higher epoch", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  const before = fieldOf(await pair.send("x"));
  pair.sender.restart();
  const after = fieldOf(await pair.send("y"));
  assert.equal(after.epoch, before.epoch + 1);
  assert.notDeepEqual(after.ciphertext, before.ciphertext);
});

test("a frame that comes again is dropped; one out of order is not", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  const [first, second] = [await pair.send("1"), await pair.send("2")];
  assert.equal(await pair.receive(second), "2");
  assert.equal(await pair.receive(first), "1");
  await assert.rejects(pair.receive(first), dropped("replayed"));
});

test("audio beyond the window of 1024 is too old", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  const packets = [];
  for (let count = 0; count <= 1024; count++) packets.push(await pair.send("x"));
  await pair.receive(packets[2]);
  await pair.receive(packets[1024]);
  assert.equal(await pair.receive(packets[1]), "x");
  await assert.rejects(pair.receive(packets[0]), dropped("replayed"));
});

test("video must rise strictly", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }), "video");
  const [first, second] = [await pair.send("1", 0, true), await pair.send("2")];
  await pair.receive(second);
  await assert.rejects(pair.receive(first), dropped("replayed"));
});

test("every octet of a frame is authenticated", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }), "video");
  await pair.receive(await pair.send("first", 0, true));
  for (let count = 0; count < 3; count++) await pair.receive(await pair.send("x"));
  const packet = await pair.send("frame");
  for (let position = 0; position < packet.data.byteLength - 1; position++) {
    const changed = new Uint8Array(packet.data.slice(0));
    changed[position] ^= 1;
    await assert.rejects(pair.receive({ ...packet, data: changed.buffer }), FrameDropped);
  }
  await assert.rejects(pair.receive({ ...packet, timestamp: 1 }), dropped("not-authentic"));
  assert.equal(await pair.receive(packet), "frame");
});

test("an unprotected frame is dropped", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  for (const text of ["", "\u0000", "opus\u0000", "any text", "abc\u0000\u0004\u0007"]) {
    const data = new TextEncoder().encode(text).buffer;
    const packet = { data, timestamp: 1, payloadType: 111, sequence: 1 };
    await assert.rejects(pair.receive(packet), FrameDropped);
  }
});

test("a field of another SSRC, or of an old epoch, is put aside and its frame goes on", async () => {
  const sets = await setsWith({ spi: 1 });
  const pair = new Pair(sets);
  const old = await pair.send("old");
  pair.sender.restart();
  await pair.receive(await pair.send("new"));
  const other = new InnerSender(SSRC + 1, FORMATS.audio);
  const frame = { data: new ArrayBuffer(1), payloadType: 111, timestamp: 1, isKeyFrame: false };
  const foreign = await other.protect(frame, sets.outbound(0), 0);
  for (const [counter, field] of [
    ["field-epoch", new Uint8Array(old.data).subarray(-47)],
    ["field-ssrc", new Uint8Array(foreign).subarray(-47)],
  ]) {
    const packet = await pair.send("text", 30);
    const { body } = splitEKTField(new Uint8Array(packet.data));
    const data = new Uint8Array([...body, ...field]).buffer;
    assert.equal(await pair.receive({ ...packet, data }), "text");
    assert.equal(pair.statistics.snapshot()[counter], 1);
  }
});

test("a field of an unknown type is stripped", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  await pair.receive(await pair.send("first"));
  const packet = await pair.send("text");
  const { body } = splitEKTField(new Uint8Array(packet.data));
  const data = new Uint8Array([...body, 1, 2, 3, 0, 6, 0x04]).buffer;
  assert.equal(await pair.receive({ ...packet, data }), "text");
});

test("a field that does not unwrap drops the packet", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  const packet = await pair.send("text");
  const changed = new Uint8Array(packet.data);
  changed[changed.length - 20] ^= 1;
  await assert.rejects(pair.receive(packet), dropped("unwrap-failed"));
});

test("nothing is encrypted beyond the lifetime of the EKTKey", async () => {
  const sets = await setsWith({ spi: 1, ttl: 10 });
  assert.equal(sets.outbound(9_999).spi, 1);
  assert.equal(sets.outbound(10_000), "expired");
  assert.equal(sets.find(1, 10_000), null);
});

test("an EKTKey that was replaced is retired", async () => {
  const sets = await setsWith({ spi: 1 }, { spi: 2, now: 1000 });
  assert.equal(sets.find(1, 10_999)?.spi, 1);
  assert.equal(sets.find(1, 11_000), null);
  assert.equal(sets.outbound(11_000).spi, 2);
});

test("an SPI keeps its key", async () => {
  const sets = await setsWith({ spi: 1 });
  await sets.install(ektKey(1), 5);
  const other = { ...ektKey(2), spi: 1 };
  await assert.rejects(sets.install(other, 5));
});

test("a ROC further on resynchronises after a pause, once a frame proves it", async () => {
  const index = new SendingIndex(7);
  const pair = new Pair(await setsWith({ spi: 1 }), "audio");
  pair.sender = new InnerSender(SSRC, FORMATS.audio, { index });
  await pair.receive(await pair.send("before"));
  for (let count = 0; count < 0x18000; count++) index.take();
  const packet = await pair.send("after", 10_000);
  assert.equal(await pair.receive(packet, 10_000), "after");
});

test("a late joiner learns the ROC from the field", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  pair.sender = new InnerSender(SSRC, FORMATS.audio, { index: new SendingIndex(5 * 0x10000 - 1) });
  await pair.send("missed");
  assert.equal(await pair.receive(await pair.send("heard")), "heard");
});

test("the index rolls over between frames", async () => {
  const pair = new Pair(await setsWith({ spi: 1 }));
  pair.sender = new InnerSender(SSRC, FORMATS.audio, { index: new SendingIndex(0xfffb) });
  for (let count = 0; count < 10; count++) {
    assert.equal(await pair.receive(await pair.send(String(count))), String(count));
  }
});

test("no index beyond 2^48", () => {
  const index = new SendingIndex(2 ** 48 - 1);
  index.take();
  assert.throws(() => index.take(), dropped("exhausted"));
});
