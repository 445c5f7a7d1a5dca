// An entry of the transform Worker for tests: the product's own modules, run with parts that remember every frame before
// it is protected and after it is opened, and that keep the keys within reach. `opened_worker.py` serves it in the place
// of `media/worker.js`, behind a line that sets `configuration`.

import { InnerCipher } from "./worker/inner-cipher.js";
import { KeyChannel } from "./worker/key-channel.js";
import { Parts } from "./worker/parts.js";
import { run } from "./worker/run.js";
import { SendStream } from "./worker/send-stream.js";

const { withheld, isSilent } = globalThis.configuration;

const PROBE_CHANNEL = "key-channel-messages";

class ObservedKeyChannel extends KeyChannel {
  constructor(channel, handlers) {
    super(channel, {
      ...handlers,
      received: (message) => probe.receive(message, handlers.received),
    });
  }

  send(message) {
    if (!(isSilent && message.type === "ekt_key_ack")) super.send(message);
  }
}

class ObservedParts extends Parts {
  keyChannel(channel, handlers) {
    probe.dataChannel = channel;
    return new ObservedKeyChannel(channel, handlers);
  }

  senderKeys() {
    probe.senders.push(super.senderKeys());
    return probe.senders.at(-1);
  }

  receiverKeys(ssrc, statistics) {
    probe.receivers.push(super.receiverKeys(ssrc, statistics));
    return probe.receivers.at(-1);
  }

  async process(stream, frame, now) {
    const isSending = stream instanceof SendStream;
    const kind = "type" in frame ? "video" : "audio";
    streams.set(stream.slot, stream);
    if (isSending) probe.encoded.push({ kind, data: frame.data.slice(0) });
    if (isSending && probe.isClear) return;
    await super.process(stream, frame, now);
    if (isSending) return;
    probe.played.push({ kind, as: probe.nameOf(stream.slot), data: frame.data.slice(0) });
  }
}

// By slot: the stream of the transform that has it now, and the speaker that the page has bound to it.
const streams = new Map();
const speakers = new Map();

const parts = new ObservedParts();
const session = run(self, parts);

self.addEventListener("message", ({ data }) => {
  if (data.op === "bind") speakers.set(data.slot, data.speaker);
});

const probe = {
  session,
  sets: parts.sets,
  dataChannel: null,
  senders: [],
  receivers: [],
  encoded: [],
  played: [],
  heard: [],

  // Whether frames are to leave as they are: what no product would do, and what the test must detect.
  isClear: false,

  // Messages of the type `withheld` on the key channel wait until the test opens the gate.
  gate: Promise.withResolvers(),

  // A cipher whose key is gone.
  keyless: new InnerCipher(null, new Uint8Array(12)),

  // The name on the tile of a slot, if it has one.
  nameOf: (slot) =>
    session.roster.members.find(({ id }) => id === speakers.get(slot)?.member)?.identity,

  async receive(message, handle) {
    if (message.type === withheld) await this.gate.promise;
    this.heard.push(message);
    // For the page: it outlives this Worker.
    const channel = new BroadcastChannel(PROBE_CHANNEL);
    channel.postMessage(message.type);
    channel.close();
    return handle(message);
  },

  // All frames that were remembered since the last time, with octets in Base64.
  take(name) {
    const taken = this[name];
    this[name] = [];
    return taken.map(({ data, ...rest }) => ({ ...rest, data: base64(new Uint8Array(data)) }));
  },

  // What has become of received frames, for each slot; of slots with this name, unless it is null.
  fates: (name) =>
    [...streams.values()]
      .filter((stream) => !(stream instanceof SendStream))
      .filter(({ slot }) => name === null || probe.nameOf(slot) === name)
      .map(({ statistics }) => statistics.snapshot()),
};

globalThis.probe = probe;

function base64(octets) {
  let binary = "";
  for (const octet of octets) binary += String.fromCharCode(octet);
  return btoa(binary);
}
