/**
 * The messages on the key channel, between the Key Distributor and an endpoint that is a browser.
 *
 * Each has a handshake-style header: uint8 type, uint24 length of the body. `ekt_key` is the
 * message of RFC 8870, Section 5.2.2, as it stands; the others are this project's
 * (docs/key-channel.md).
 */

import { DecodeError, Reader, concatenate, uint, vector } from "./wire.js";

/** @typedef {Uint8Array<ArrayBuffer>} Octets */
/** @typedef {{ type: "ekt_key", key: Octets, salt: Octets, spi: number, ttl: number }} EktKey */
/** @typedef {{ ssrc: number, kind: number, source: number }} Source */

/**
 * @typedef {object} Member
 * @property {Uint8Array} id
 * @property {string} identity
 * @property {number} verifiedAt
 * @property {number} spi
 * @property {Source[]} sources
 */

/**
 * @typedef {object} RosterMessage
 * @property {"roster"} type
 * @property {number} version
 * @property {Uint8Array} you
 * @property {Member[]} members
 */

/** @typedef {{ type: "announce", sources: Source[] }} Announce */
/** @typedef {{ type: "ekt_key_ack", spi: number }} EktKeyAck */
/** @typedef {EktKey | RosterMessage | Announce | EktKeyAck} KeyChannelMessage */

/** A data channel of the Key Distributor carries at most this much in one message. */
export const MAX_MESSAGE = 64 * 1024;

export const AUDIO = 0;
export const VIDEO = 1;

const EKT_KEY = 26; // RFC 8870, Section 7.4
const ROSTER = 240;
const ANNOUNCE = 241;
const EKT_KEY_ACK = 242;

const ID_LENGTH = 16;

/**
 * Reads one message; it must fill the octets exactly.
 *
 * @param {ArrayBuffer} data
 * @returns {KeyChannelMessage}
 */
export function readMessage(data) {
  if (data.byteLength > MAX_MESSAGE) throw new DecodeError("the message is too long");
  const header = new Reader(new Uint8Array(data));
  const type = header.uint8();
  const body = new Reader(header.opaque(3, 0, MAX_MESSAGE));
  header.end();
  const message = readBody(type, body);
  body.end();
  return message;
}

/**
 * @param {number} type
 * @param {Reader} body
 * @returns {KeyChannelMessage}
 */
function readBody(type, body) {
  switch (type) {
    case EKT_KEY:
      return readEktKey(body);
    case ROSTER:
      return readRoster(body);
    case ANNOUNCE:
      return { type: "announce", sources: readSources(body) };
    case EKT_KEY_ACK:
      return { type: "ekt_key_ack", spi: body.uint16() };
    default:
      throw new DecodeError(`unknown message type ${type}`);
  }
}

/**
 * @param {Reader} body
 * @returns {EktKey}
 */
function readEktKey(body) {
  // `<1..256>` reaches 256, so that its length takes two octets (RFC 8446, Section 3.4).
  const key = body.opaque(2, 1, 256);
  const salt = body.opaque(2, 1, 256);
  return { type: "ekt_key", key, salt, spi: body.uint16(), ttl: body.uint24() };
}

/**
 * @param {Reader} body
 * @returns {RosterMessage}
 */
function readRoster(body) {
  const version = body.uint32();
  const you = body.octets(ID_LENGTH);
  const list = new Reader(body.opaque(3, 0, MAX_MESSAGE));
  const members = [];
  while (list.remaining > 0) members.push(readMember(list));
  return { type: "roster", version, you, members };
}

/**
 * @param {Reader} list
 * @returns {Member}
 */
function readMember(list) {
  const id = list.octets(ID_LENGTH);
  const identity = readText(list.opaque(2, 1, 1024));
  return {
    id,
    identity,
    verifiedAt: list.uint64(),
    spi: list.uint16(),
    sources: readSources(list),
  };
}

/** @param {Uint8Array} octets */
function readText(octets) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch {
    throw new DecodeError("an identity is not UTF-8");
  }
}

/**
 * @param {Reader} outer
 * @returns {Source[]}
 */
function readSources(outer) {
  const list = new Reader(outer.opaque(2, 0, 0xffff));
  const sources = [];
  while (list.remaining > 0) {
    const source = { ssrc: list.uint32(), kind: list.uint8(), source: list.uint8() };
    if (source.kind > 1 || source.source > 1) throw new DecodeError("an unknown kind of source");
    sources.push(source);
  }
  return sources;
}

/**
 * Writes one message with its header.
 *
 * @param {KeyChannelMessage} message
 */
export function writeMessage(message) {
  switch (message.type) {
    case "ekt_key":
      return frame(EKT_KEY, [
        vector(2, message.key),
        vector(2, message.salt),
        uint(message.spi, 2),
        uint(message.ttl, 3),
      ]);
    case "roster": {
      const members = vector(3, concatenate(...message.members.map(writeMember)));
      return frame(ROSTER, [uint(message.version, 4), message.you, members]);
    }
    case "announce":
      return frame(ANNOUNCE, [writeSources(message.sources)]);
    case "ekt_key_ack":
      return frame(EKT_KEY_ACK, [uint(message.spi, 2)]);
  }
}

/** @param {Member} member */
function writeMember(member) {
  return concatenate(
    member.id,
    vector(2, new TextEncoder().encode(member.identity)),
    uint(member.verifiedAt, 8),
    uint(member.spi, 2),
    writeSources(member.sources),
  );
}

/** @param {Source[]} sources */
function writeSources(sources) {
  const octets = sources.map(({ ssrc, kind, source }) =>
    concatenate(uint(ssrc, 4), uint(kind, 1), uint(source, 1)),
  );
  return vector(2, concatenate(...octets));
}

/**
 * @param {number} type
 * @param {Uint8Array[]} body
 */
function frame(type, body) {
  return concatenate(uint(type, 1), vector(3, concatenate(...body)));
}
