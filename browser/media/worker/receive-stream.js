/**
 * The transform of one receiver: frames of whom the tile names, opened or dropped.
 *
 *   unbound ──authentic frame of somebody──▶ proposed ──page has relabelled the tile──▶ bound
 *                                               ▲                                         │
 *                                               └────────authentic frame of another───────┘
 */

import { KeyFrameRequests } from "./key-frame-requests.js";
import { FORMATS } from "./payload-format.js";
import { isKeyFrame } from "./send-stream.js";
import { FrameDropped, Statistics } from "./statistics.js";

/** Milliseconds without a frame after which a tile says that its source is silent. */
const QUIET_AFTER = 2_000;

/** @typedef {import("../messages.js").Speaker} Speaker */
/** @typedef {import("./send-stream.js").EncodedFrame} EncodedFrame */

/** Opens what one receiver receives. */
export class ReceiveStream {
  statistics = new Statistics();
  #session;
  #format;
  #keyFrames;
  /** @type {Speaker | null} whose frames pass */
  #bound = null;
  /** @type {Speaker | null} whom the page was told of last */
  #proposed = null;
  #awaitsKeyFrame = true;
  #ssrc = -1;
  #isPlaying = false;
  #releasedAt = -Infinity;

  /**
   * @param {import("./session.js").Session} session
   * @param {import("../messages.js").TransformOptions} options
   * @param {{ sendKeyFrameRequest: () => Promise<unknown> }} transformer
   */
  constructor(session, options, transformer) {
    this.#session = session;
    this.slot = options.slot;
    this.#format = FORMATS[options.kind];
    this.#keyFrames = new KeyFrameRequests(() => {
      // The browser refuses while the stream is not running yet; the next frame asks again.
      const refused = () => this.statistics.count("key-frame-refused");
      transformer.sendKeyFrameRequest().catch(refused);
    });
  }

  /**
   * The tile now carries this speaker's name.
   *
   * @param {Speaker} speaker
   * @param {number} now
   */
  bind(speaker, now) {
    if (isSame(this.#bound, speaker)) return;
    this.#bound = speaker;
    this.#proposed = null;
    this.#isPlaying = false;
    this.#awaitsKeyFrame = true;
    if (this.#format.kind === "video") this.#keyFrames.request(now);
  }

  /** The roster has changed: whoever is no longer in it has lost their tile. */
  followRoster() {
    const isPresent = (/** @type {Speaker | null} */ speaker) =>
      speaker !== null && this.#session.roster.has(speaker.member);
    if (!isPresent(this.#bound)) this.#bound = null;
    if (!isPresent(this.#proposed)) this.#proposed = null;
  }

  /**
   * Says so when a stream that played has fallen silent.
   *
   * @param {number} now
   */
  tick(now) {
    if (!this.#isPlaying || now - this.#releasedAt < QUIET_AFTER) return;
    this.#isPlaying = false;
    this.#session.post({ op: "quiet", slot: this.slot });
  }

  /**
   * Puts the media into the frame.
   *
   * @param {EncodedFrame} frame
   * @param {number} now
   * @throws {FrameDropped}
   */
  async process(frame, now) {
    const metadata = /** @type {RTCEncodedAudioFrameMetadata} */ (frame.getMetadata());
    const { synchronizationSource: ssrc, rtpTimestamp: timestamp } = metadata;
    if (ssrc === undefined || timestamp === undefined) throw new FrameDropped("malformed");
    if (metadata.contributingSources?.length) throw new FrameDropped("contributing-sources");
    const speaker = this.#speakerOf(ssrc);
    const receiver = this.#session.receiverOf(ssrc, this.#format, this.statistics);
    const { payloadType = 0, sequenceNumber: sequence = 0 } = metadata;
    const incoming = { data: frame.data, timestamp, payloadType, sequence };
    const media = await receiver.unprotect(incoming, now);
    this.#requireBinding(speaker);
    this.#requireKeyFrameFirst(ssrc, frame, now);
    frame.data = media;
    this.#release(timestamp, now);
  }

  /**
   * Whose SSRC this is, by the roster.
   *
   * @param {number} ssrc
   * @returns {Speaker}
   */
  #speakerOf(ssrc) {
    if (this.#session.isClosed) throw new FrameDropped("closed");
    const owner = this.#session.roster.ownerOf(ssrc);
    if (owner === null || owner.source.kind !== this.#format.kind) {
      throw new FrameDropped("not-in-roster");
    }
    if (this.#session.roster.isMine(ssrc)) throw new FrameDropped("reflected");
    return { member: owner.member.id, origin: owner.source.origin };
  }

  /**
   * Only frames that authenticate propose a name, so that nobody can make tiles flicker.
   *
   * @param {Speaker} speaker
   */
  #requireBinding(speaker) {
    if (isSame(this.#bound, speaker)) return;
    if (!isSame(this.#proposed, speaker)) {
      this.#proposed = speaker;
      this.#session.post({ op: "speaker", slot: this.slot, speaker });
    }
    throw new FrameDropped("other-speaker");
  }

  /**
   * A decoder must not continue one picture with the differences of another.
   *
   * @param {number} ssrc
   * @param {EncodedFrame} frame
   * @param {number} now
   */
  #requireKeyFrameFirst(ssrc, frame, now) {
    if (this.#format.kind === "audio") return;
    if (this.#ssrc !== ssrc) this.#awaitsKeyFrame = true;
    this.#ssrc = ssrc;
    if (isKeyFrame(frame)) this.#awaitsKeyFrame = false;
    if (!this.#awaitsKeyFrame) return;
    this.#keyFrames.request(now);
    throw new FrameDropped("awaiting-key-frame");
  }

  /**
   * @param {number} rtpTimestamp
   * @param {number} now
   */
  #release(rtpTimestamp, now) {
    this.#releasedAt = now;
    if (this.#isPlaying) return;
    this.#isPlaying = true;
    this.#session.post({ op: "released", slot: this.slot, rtpTimestamp });
  }
}

/**
 * @param {Speaker | null} left
 * @param {Speaker | null} right
 */
function isSame(left, right) {
  return left !== null && left.member === right?.member && left.origin === right.origin;
}
