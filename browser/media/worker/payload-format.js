/**
 * How a frame of each codec lies in the payload: what stays readable, and which marker the
 * synthetic header has.
 *
 * Opus is one RTP packet per frame, and its payload is exactly RFC 8723. VP8 is protected as a
 * whole frame (`frame` mode): the packetiser and the Media Distributor see a constant prefix that
 * says key frame or not, and nothing of the picture, not even its size.
 */

import { FrameDropped } from "./statistics.js";

const NO_PREFIX = new Uint8Array(0);

/**
 * The uncompressed header of a VP8 key frame (RFC 6386, Section 9.1), of 320 by 240 pixels whatever
 * the true size.
 */
const VP8_KEY_FRAME = new Uint8Array([0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00]);

/** First octet of a VP8 frame tag whose lowest bit says that this is no key frame. */
const VP8_DELTA_FRAME = new Uint8Array([0x01]);

/**
 * @typedef {object} PayloadFormat
 * @property {"audio" | "video"} kind
 * @property {string} mimeType in lower case
 * @property {boolean} marker of the synthetic header: a video frame is its own last packet; the
 *   marker of audio is not visible to a transform
 * @property {number} maximumLength of a protected payload, in octets
 * @property {(isKeyFrame: boolean) => Uint8Array} prefixOf
 * @property {(payload: Uint8Array) => Uint8Array} readPrefix
 */

/** @type {PayloadFormat} */
const OPUS = {
  kind: "audio",
  mimeType: "audio/opus",
  marker: false,
  // The browser does not fragment audio, and a Media Distributor forwards packets of 1356 octets.
  maximumLength: 1300,
  prefixOf: () => NO_PREFIX,
  readPrefix: () => NO_PREFIX,
};

/** @type {PayloadFormat} */
const VP8 = {
  kind: "video",
  mimeType: "video/vp8",
  marker: true,
  maximumLength: 4 * 1024 * 1024, // far above any frame of a call; what is larger is no picture
  prefixOf: (isKeyFrame) => (isKeyFrame ? VP8_KEY_FRAME : VP8_DELTA_FRAME),
  readPrefix: readVp8Prefix,
};

/** @type {Record<"audio" | "video", PayloadFormat>} */
export const FORMATS = { audio: OPUS, video: VP8 };

/** @param {Uint8Array} payload */
function readVp8Prefix(payload) {
  const isKeyFrame = ((payload[0] ?? 1) & 1) === 0;
  const expected = isKeyFrame ? VP8_KEY_FRAME : VP8_DELTA_FRAME;
  const matches = expected.every((octet, position) => octet === payload[position]);
  if (!matches) throw new FrameDropped("malformed");
  return expected;
}
