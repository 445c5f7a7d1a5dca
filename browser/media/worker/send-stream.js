/**
 * The transform of one sender: frames of its SSRCs, in order, protected or dropped.
 *
 * A sender with simulcast has several SSRCs and one transform.
 */

import { KeyFrameRequests } from "./key-frame-requests.js";
import { FORMATS } from "./payload-format.js";
import { FrameDropped, Statistics } from "./statistics.js";

/** @typedef {RTCEncodedAudioFrame | RTCEncodedVideoFrame} EncodedFrame */

/** @param {EncodedFrame} frame */
export function isKeyFrame(frame) {
  return "type" in frame && frame.type === "key";
}

/** Protects what one sender sends. */
export class SendStream {
  statistics = new Statistics();
  #session;
  #format;
  #keyFrames;
  /**
   * @type {Map<number, { spi: number, arrivals: number }>} the state of things when an SSRC last
   *   changed its key
   */
  #started = new Map();

  /**
   * @param {import("./session.js").Session} session
   * @param {import("../messages.js").TransformOptions} options
   */
  constructor(session, { kind, slot }) {
    this.slot = slot;
    this.#session = session;
    this.#format = FORMATS[kind];
    // Chromium's transformer has no generateKeyFrame(); the page can ask the encoder.
    this.#keyFrames = new KeyFrameRequests(() => session.post({ op: "key-frame", slot }));
  }

  /**
   * Puts the protected payload into the frame.
   *
   * @param {EncodedFrame} frame
   * @param {number} now
   * @throws {FrameDropped}
   */
  async process(frame, now) {
    const metadata = frame.getMetadata();
    const {
      synchronizationSource: ssrc,
      payloadType,
      rtpTimestamp: timestamp,
      mimeType,
    } = metadata;
    if (ssrc === undefined || payloadType === undefined || timestamp === undefined) {
      throw new FrameDropped("format");
    }
    if (mimeType?.toLowerCase() !== this.#format.mimeType) throw new FrameDropped("format");
    const set = this.#session.outboundSet(ssrc, now);
    this.#requireKeyFrameFirst(ssrc, frame, now);
    const sender = this.#session.senderOf(ssrc, this.#format, this);
    const outgoing = { data: frame.data, payloadType, timestamp, isKeyFrame: isKeyFrame(frame) };
    frame.data = await sender.protect(outgoing, set, now);
    this.#followKeyChange(ssrc, sender.activeSpi, now);
  }

  /**
   * The first frame of an SSRC that leaves is one that can be decoded alone.
   *
   * @param {number} ssrc
   * @param {EncodedFrame} frame
   * @param {number} now
   */
  #requireKeyFrameFirst(ssrc, frame, now) {
    if (this.#format.kind === "audio" || this.#started.has(ssrc) || isKeyFrame(frame)) return;
    this.#keyFrames.request(now);
    throw new FrameDropped("awaiting-key-frame");
  }

  /**
   * A new key after somebody has joined: the newcomer cannot open what came before, and so needs a
   * key frame.
   *
   * @param {number} ssrc
   * @param {number | null} spi
   * @param {number} now
   */
  #followKeyChange(ssrc, spi, now) {
    if (spi === null) return;
    const { arrivals } = this.#session.roster;
    const before = this.#started.get(ssrc);
    if (before?.spi === spi) return;
    this.#started.set(ssrc, { spi, arrivals });
    const isVideo = this.#format.kind === "video";
    if (isVideo && before !== undefined && before.arrivals < arrivals) this.#keyFrames.request(now);
  }
}
