/**
 * Every message between the page and the transform Worker, and the options of every transform.
 *
 * Keys are in none of them: they reach the Worker on the data channel that is transferred in
 * `connect`, and stay there.
 *
 * @module
 */

/**
 * One source of this endpoint, as the Key Distributor's roster will list it.
 *
 * @typedef {object} AnnouncedSource
 * @property {number} ssrc
 * @property {"audio" | "video"} kind
 * @property {"camera" | "screen"} origin a camera stands for its microphone too
 */

/**
 * One endpoint of the conference, as the Key Distributor vouches for it.
 *
 * @typedef {object} RosterMember
 * @property {string} id 32 hexadecimal digits
 * @property {string} identity `name@idp`
 * @property {number} verifiedAt Unix seconds
 * @property {number} spi of the newest EKTKey that it has acknowledged; 0 before the first
 * @property {AnnouncedSource[]} sources
 */

/**
 * What a receive transform is bound to, and a tile is labelled with.
 *
 * @typedef {object} Speaker
 * @property {string} member id of a roster member
 * @property {"camera" | "screen"} origin
 */

/**
 * Options of RTCRtpScriptTransform. A slot is the page's number for a transceiver.
 *
 * @typedef {object} TransformOptions
 * @property {number} slot
 * @property {"send" | "receive"} direction
 * @property {"audio" | "video"} kind
 */

/**
 * Why a sender sends, or does not. Ordered from the first condition that has to hold to the last.
 *
 * @typedef {"no-key" | "expired" | "not-in-roster" | "sending" | "closed"} SendingState
 */

/**
 * Page to Worker:
 * - `connect` hands over the key channel, and names the identity that this endpoint has asserted;
 * - `announce` lists the sources that this endpoint is about to send;
 * - `bind` confirms that the tile of a slot now carries this speaker's name;
 * - `statistics` asks for the counters;
 * - `close` forgets every key and lets nothing pass any more.
 *
 * @typedef {{ op: "connect", channel: RTCDataChannel, identity: string }
 *   | { op: "announce", sources: AnnouncedSource[] }
 *   | { op: "bind", slot: number, speaker: Speaker }
 *   | { op: "statistics" }
 *   | { op: "close" }} PageMessage
 */

/**
 * Worker to page:
 * - `ready`: transforms may be created;
 * - `transformed`: the browser has put this slot's transform to work, a track may be attached;
 * - `channel`: the key channel opened or closed;
 * - `key`: an EKTKey was installed;
 * - `roster`: a new roster of the Key Distributor;
 * - `sending`: whether, or why not, this endpoint's media leave;
 * - `speaker`: authentic media of this speaker wait for the tile to be relabelled and `bind`;
 * - `released`: the first frame after `bind`, or after silence, went on to the decoder;
 * - `quiet`: a slot that had played has not for a while;
 * - `key-frame`: this sending slot's encoder is to make a key frame;
 * - `failed`: the key channel cannot be used any more;
 * - `statistics`: counters by slot and by reason.
 *
 * @typedef {{ op: "ready" }
 *   | { op: "transformed", slot: number }
 *   | { op: "channel", state: "open" | "closed" }
 *   | { op: "key", spi: number, ttl: number }
 *   | { op: "roster", version: number, you: string, members: RosterMember[] }
 *   | { op: "sending", state: SendingState }
 *   | { op: "speaker", slot: number, speaker: Speaker }
 *   | { op: "released", slot: number, rtpTimestamp: number }
 *   | { op: "quiet", slot: number }
 *   | { op: "key-frame", slot: number }
 *   | { op: "failed", reason: FailureReason, detail: string }
 *   | { op: "statistics", slots: Record<number, Record<string, number>> }} WorkerMessage
 */

/**
 * - `malformed`: the Key Distributor sent something that this protocol does not know;
 * - `not-me`: the roster lists this endpoint under an identity that it did not assert;
 * - `source-taken`: another member already owns an SSRC that this endpoint announced; a new endpoint
 *   has new ones.
 *
 * @typedef {"malformed" | "not-me" | "source-taken"} FailureReason
 */

export {};
