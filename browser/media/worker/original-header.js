/**
 * The Original Header Block (RFC 8723, Section 4) and the synthetic RTP header that the inner layer
 * authenticates (Section 5.1, step 3).
 *
 * This project's browsers always write all three fields, so that the Media Distributor may set PT,
 * SEQ and M freely and never touches the block: it adds only what is not there.
 */

import { FrameDropped } from "./statistics.js";

/** Octets of the synthetic header: no CSRC, no extensions. */
export const HEADER_LENGTH = 12;

/** Octets of a block with every field in it. */
export const FULL_BLOCK_LENGTH = 4;

const B_MARKER_SET = 0x08;
const M_MARKER_PRESENT = 0x04;
const P_TYPE_PRESENT = 0x02;
const Q_SEQUENCE_PRESENT = 0x01;
const R_RESERVED = 0xf0;

const MAXIMUM_PAYLOAD_TYPE = 0x7f; // seven bits in an RTP header

/**
 * The fields of an RTP header that a Media Distributor may change.
 *
 * @typedef {object} OriginalFields
 * @property {number} payloadType
 * @property {number} sequence
 * @property {boolean} marker
 */

/**
 * Writes `PT ‖ SEQ ‖ Config`, with the marker in Config: 0x07, or 0x0f when it is set.
 *
 * @param {Uint8Array} octets
 * @param {number} position
 * @param {OriginalFields} fields
 */
export function writeOriginalHeader(octets, position, { payloadType, sequence, marker }) {
  octets[position] = payloadType;
  octets[position + 1] = sequence >> 8;
  octets[position + 2] = sequence & 0xff;
  octets[position + 3] =
    M_MARKER_PRESENT | P_TYPE_PRESENT | Q_SEQUENCE_PRESENT | (marker ? B_MARKER_SET : 0);
}

/**
 * Reads the block at the end of a payload. Fields that are not in it keep the values of the
 * received header.
 *
 * @param {Uint8Array} body payload without its EKTField
 * @param {OriginalFields} received
 * @returns {{ length: number, original: OriginalFields }}
 */
export function readOriginalHeader(body, received) {
  const config = body.at(-1) ?? R_RESERVED;
  // "R: Reserved, MUST be set to 0"; "If the marker bit is not present (M=0), then "B" MUST be set
  // to zero."
  const markerPresent = (config & M_MARKER_PRESENT) !== 0;
  if ((config & R_RESERVED) !== 0 || (!markerPresent && (config & B_MARKER_SET) !== 0)) {
    throw new FrameDropped("malformed");
  }
  const sequenceLength = config & Q_SEQUENCE_PRESENT ? 2 : 0;
  const typeLength = config & P_TYPE_PRESENT ? 1 : 0;
  const length = typeLength + sequenceLength + 1;
  const start = body.length - length;
  const payloadType = typeLength ? (body[start] ?? R_RESERVED) : received.payloadType;
  if (start < 0 || payloadType > MAXIMUM_PAYLOAD_TYPE) throw new FrameDropped("malformed");
  const sequenceAt = start + typeLength;
  return {
    length,
    original: {
      payloadType,
      sequence: sequenceLength
        ? ((body[sequenceAt] ?? 0) << 8) | (body[sequenceAt + 1] ?? 0)
        : received.sequence,
      marker: markerPresent ? (config & B_MARKER_SET) !== 0 : received.marker,
    },
  };
}

/**
 * Writes the synthetic header: V=2, P=X=CC=0, then M, PT, SEQ, timestamp and SSRC as the sender had
 * them.
 *
 * @param {DataView} view
 * @param {OriginalFields} original
 * @param {number} timestamp
 * @param {number} ssrc
 */
export function writeSyntheticHeader(view, original, timestamp, ssrc) {
  view.setUint8(0, 0x80);
  view.setUint8(1, (original.marker ? 0x80 : 0) | original.payloadType);
  view.setUint16(2, original.sequence);
  view.setUint32(4, timestamp);
  view.setUint32(8, ssrc);
}
