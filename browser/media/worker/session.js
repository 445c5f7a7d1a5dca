/**
 * One endpoint's end-to-end session: the key channel, the EKTKeys and the roster that come on it,
 * and every stream that needs them.
 *
 * Media pass only with a key that has not expired, and only under an SSRC that the roster lists:
 * own ones to send, others' to receive.
 */

import { AUDIO, VIDEO } from "./key-channel-messages.js";
import { InnerReceiver } from "./receiver.js";
import { ReceiveStream } from "./receive-stream.js";
import { Roster } from "./roster.js";
import { InnerSender } from "./sender.js";
import { SendStream } from "./send-stream.js";
import { FrameDropped } from "./statistics.js";
import { DecodeError } from "./wire.js";

/** @typedef {import("../messages.js").PageMessage} PageMessage */
/** @typedef {import("../messages.js").WorkerMessage} WorkerMessage */
/** @typedef {import("../messages.js").AnnouncedSource} AnnouncedSource */
/** @typedef {import("../messages.js").SendingState} SendingState */
/** @typedef {import("./payload-format.js").PayloadFormat} PayloadFormat */
/** @typedef {import("./key-channel.js").KeyChannel} KeyChannel */

/** What a Worker holds; one per conference and endpoint. */
export class Session {
  roster = new Roster();
  isClosed = false;
  #parts;
  #now;
  /** @type {KeyChannel | null} */
  #channel = null;
  #identity = "";
  /** @type {AnnouncedSource[]} */
  #announced = [];
  /** @type {SendingState} */
  #sending = "no-key";
  /** @type {Map<number, SendStream | ReceiveStream>} */
  #streams = new Map();
  /** @type {Map<number, { sender: InnerSender, stream: SendStream }>} */
  #senders = new Map();
  /**
   * @type {Map<number, InnerReceiver>} for as long as the session: forgetting one would forget its
   *   replay state
   */
  #receivers = new Map();

  /**
   * @param {(message: WorkerMessage) => void} post
   * @param {() => number} now monotonic milliseconds
   * @param {import("./parts.js").Parts} parts
   */
  constructor(post, now, parts) {
    this.post = post;
    this.#now = now;
    this.#parts = parts;
  }

  /**
   * What the page asks for.
   *
   * @param {PageMessage} message
   */
  receive(message) {
    switch (message.op) {
      case "connect":
        return this.#connect(message.channel, message.identity);
      case "announce":
        return this.#announce(message.sources);
      case "bind":
        return this.#bind(message);
      case "statistics":
        return this.post({ op: "statistics", slots: this.#statistics() });
      case "close":
        return this.#close();
    }
  }

  /**
   * The stream for a transform that the browser has put to work.
   *
   * @param {import("../messages.js").TransformOptions} options
   * @param {RTCRtpScriptTransformer} transformer
   */
  openStream(options, transformer) {
    const stream =
      options.direction === "send"
        ? new SendStream(this, options)
        : new ReceiveStream(this, options, transformer);
    this.#streams.set(options.slot, stream);
    this.post({ op: "transformed", slot: options.slot });
    return stream;
  }

  /** Time passes: keys expire and streams fall silent. */
  tick() {
    const now = this.#now();
    for (const stream of this.#streams.values()) {
      if (stream instanceof ReceiveStream) stream.tick(now);
    }
    this.#reportSending();
  }

  /**
   * The EKTKey under which an own SSRC may send now.
   *
   * @param {number} ssrc
   * @param {number} now
   * @throws {FrameDropped}
   */
  outboundSet(ssrc, now) {
    if (this.isClosed) throw new FrameDropped("closed");
    const set = this.#parts.sets.outbound(now);
    if (typeof set === "string") throw new FrameDropped(set);
    if (!this.roster.isMine(ssrc)) throw new FrameDropped("not-in-roster");
    return set;
  }

  /**
   * The sender of an SSRC. Its index goes on when another transform takes it over; its key does
   * not.
   *
   * @param {number} ssrc
   * @param {PayloadFormat} format
   * @param {SendStream} stream
   */
  senderOf(ssrc, format, stream) {
    const known = this.#senders.get(ssrc);
    if (known?.stream === stream) return known.sender;
    const sender =
      known?.sender ?? new InnerSender(ssrc, format, { keys: this.#parts.senderKeys() });
    sender.restart();
    this.#senders.set(ssrc, { sender, stream });
    return sender;
  }

  /**
   * @param {number} ssrc one that the roster lists
   * @param {PayloadFormat} format
   * @param {import("./statistics.js").Statistics} statistics
   */
  receiverOf(ssrc, format, statistics) {
    const known = this.#receivers.get(ssrc);
    if (known !== undefined) return known;
    const receiver = new InnerReceiver(ssrc, format, this.#parts.receiverKeys(ssrc, statistics));
    this.#receivers.set(ssrc, receiver);
    return receiver;
  }

  /**
   * @param {RTCDataChannel} channel
   * @param {string} identity
   */
  #connect(channel, identity) {
    this.#identity = identity;
    this.#channel = this.#parts.keyChannel(channel, {
      opened: () => {
        this.post({ op: "channel", state: "open" });
        this.#announce(this.#announced);
      },
      closed: () => this.post({ op: "channel", state: "closed" }),
      received: (message) => this.#handle(message),
      failed: (error) => this.#fail("malformed", String(error)),
    });
  }

  /** @param {AnnouncedSource[]} sources */
  #announce(sources) {
    this.#announced = sources;
    if (!this.#channel?.isOpen || sources.length === 0) return;
    const described = sources.map(({ ssrc, kind, origin }) => ({
      ssrc,
      kind: kind === "audio" ? AUDIO : VIDEO,
      source: origin === "camera" ? 0 : 1,
    }));
    this.#channel.send({ type: "announce", sources: described });
    this.#reportSending();
  }

  /** @param {{ slot: number, speaker: import("../messages.js").Speaker }} message */
  #bind({ slot, speaker }) {
    const stream = this.#streams.get(slot);
    if (stream instanceof ReceiveStream) stream.bind(speaker, this.#now());
  }

  /** @param {import("./key-channel-messages.js").KeyChannelMessage} message */
  async #handle(message) {
    if (this.isClosed) return;
    if (message.type === "ekt_key") {
      await this.#parts.sets.install(message, this.#now());
      this.#channel?.send({ type: "ekt_key_ack", spi: message.spi });
      this.post({ op: "key", spi: message.spi, ttl: message.ttl });
    } else if (message.type === "roster") {
      this.#followRoster(message);
    } else {
      throw new DecodeError(`the Key Distributor does not send ${message.type}`);
    }
    this.#reportSending();
  }

  /** @param {import("./key-channel-messages.js").RosterMessage} message */
  #followRoster(message) {
    this.roster.update(message);
    const { own, version, you, members } = this.roster;
    if (own !== null && own.identity !== this.#identity) {
      return this.#fail("not-me", own.identity);
    }
    const taken = this.#announced.find(
      ({ ssrc }) => this.roster.ownerOf(ssrc) !== null && !this.roster.isMine(ssrc),
    );
    if (taken !== undefined) return this.#fail("source-taken", String(taken.ssrc));
    for (const stream of this.#streams.values()) {
      if (stream instanceof ReceiveStream) stream.followRoster();
    }
    this.post({ op: "roster", version, you, members });
  }

  /** @returns {SendingState} */
  #sendingState() {
    if (this.isClosed) return "closed";
    const set = this.#parts.sets.outbound(this.#now());
    if (typeof set === "string") return set;
    const isListed = this.#announced.every(({ ssrc }) => this.roster.isMine(ssrc));
    return isListed && this.#announced.length > 0 ? "sending" : "not-in-roster";
  }

  #reportSending() {
    const state = this.#sendingState();
    if (state === this.#sending) return;
    this.#sending = state;
    this.post({ op: "sending", state });
  }

  #statistics() {
    const slots = [...this.#streams].map(([slot, stream]) => [slot, stream.statistics.snapshot()]);
    return Object.fromEntries(slots);
  }

  /**
   * @param {import("../messages.js").FailureReason} reason
   * @param {string} detail
   */
  #fail(reason, detail) {
    if (this.isClosed) return;
    this.#close();
    this.post({ op: "failed", reason, detail });
  }

  #close() {
    this.isClosed = true;
    this.#parts.sets.clear();
    this.#senders.clear();
    this.#receivers.clear();
    this.#channel?.close();
    this.#reportSending();
  }
}
