/**
 * Every message between the page and the Key Distributor's Worker. Nothing else is sent or taken.
 *
 * The page numbers its operations; each is answered once, with the same id. What happens in the Worker by
 * itself is an event. All values are plain: strings, numbers, arrays and objects of them, never null.
 */

/** What the page may ask for; the Worker refuses anything else. */
export const OPERATIONS = Object.freeze(
  /** @type {const} */ ([
    "connect",
    "validated",
    "asserted",
    "setAdmissionPolicy",
    "admit",
    "deny",
    "remove",
    "close",
  ]),
);

/** @typedef {typeof OPERATIONS[number]} Operation */

/**
 * An error as it crosses: the members of a DOMException; of an RTCError where there is an errorDetail.
 *
 * @typedef {object} ErrorDescription
 * @property {string} name an error name of WebIDL
 * @property {string} message never holds a secret
 * @property {string} [errorDetail] of W3C webrtc-identity
 */

/**
 * `connect`: answered when TLS stands and SupportedProfiles has come.
 *
 * @typedef {object} Connect
 * @property {string} url the bridge, for this Media Distributor
 * @property {string} mdHost the name that the Media Distributor's certificate must have
 * @property {string} trustAnchors certificates in PEM
 * @property {string} conference origin and path of the page: what identity assertions are bound to
 */

/**
 * `validated`: what an IdP proxy's validateAssertion said, or that it failed.
 *
 * @typedef {{requestId: number, identity: string, contents: string}
 *   | {requestId: number, error: {message: string, errorDetail?: string}}} Validated
 */

/**
 * `asserted`: what the own IdP proxy's generateAssertion made, or that it failed.
 *
 * @typedef {{requestId: number, domain: string, protocol: string, assertion: string}
 *   | {requestId: number, error: {message: string, errorDetail?: string}}} Asserted
 */

/**
 * `setAdmissionPolicy`: `admit` are guests who need not wait, `name@host` or `@host`; `others` is for everyone else.
 * It also decides about those who wait.
 *
 * @typedef {object} AdmissionPolicy
 * @property {string[]} admit
 * @property {"admit" | "ask" | "refuse"} others
 */

/**
 * `admit` and `deny` decide about a join request, `remove` ends a member's associations. A NotFoundError where it is
 * gone.
 *
 * @typedef {object} Arguments
 * @property {Connect} connect
 * @property {Validated} validated
 * @property {Asserted} asserted
 * @property {AdmissionPolicy} setAdmissionPolicy
 * @property {{associationId: string}} admit
 * @property {{associationId: string}} deny
 * @property {{memberId: string}} remove
 * @property {{}} close
 */

/**
 * Page to Worker.
 *
 * @typedef {{id: number, operation: Operation} & Partial<Arguments[Operation]>} Request
 */

/** @typedef {{id: number, result?: unknown} | {id: number, error: ErrorDescription}} Answer */

/**
 * @typedef {object} CertificateDescription
 * @property {number} expires milliseconds since the epoch
 * @property {{algorithm: string, value: string}[]} fingerprints values in lower case with colons
 */

/**
 * A member of the conference, as the Key Distributor verified it.
 *
 * @typedef {object} Member
 * @property {string} id of its association, 32 hexadecimal digits
 * @property {string} identity user@host
 * @property {number} verifiedAt milliseconds since the epoch
 * @property {number} spi of the newest EKTKey that it has acknowledged; 0 before the first
 * @property {{ssrc: number, kind: "audio" | "video", origin: "camera" | "screen"}[]} sources
 */

/**
 * Worker to page, unasked.
 *
 * created             the interpreter runs, the certificate is made
 * failed              the Worker cannot work, or not any more; nothing follows
 * connected           TLS stands and the Media Distributor supports a profile
 * disconnected        the tunnel ended
 * sign-answer         an offer and its answer arrived (4.1.3 (2), 4.1.7 (2))
 * validation-requested    the offerer's IdP proxy is to say whose assertion this is
 * assertion-requested     the own identity provider is to sign for the answer
 * answer-signed       a sign_answer_ack went out
 * answer-refused      a sign_answer_reject went out
 * peer-validated      an offerer's identity is valid
 * fingerprint-failed  an endpoint's DTLS certificate is in no validated offer
 * join-requested      a verified identity waits to be admitted or denied
 * endpoint-keyed      an endpoint has its keys
 * endpoint-left       an endpoint's association ended
 * source-refused      an endpoint announced an SSRC that is another member's
 * roster-changed      members came, went, have other sources, or another EKTKey; `spi` is the one in use, 0 for none
 *
 * @typedef {{event: "created", certificate: CertificateDescription}
 *   | {event: "failed", error: ErrorDescription}
 *   | {event: "connected", profiles: number[]}
 *   | {event: "disconnected", error?: ErrorDescription}
 *   | {event: "sign-answer", requestId: number, fingerprints: string[]}
 *   | {event: "validation-requested", requestId: number, domain: string, protocol: string, assertion: string}
 *   | {event: "assertion-requested", requestId: number, contents: string}
 *   | {event: "answer-signed", requestId: number}
 *   | {event: "answer-refused", requestId: number, reason: string}
 *   | {event: "peer-validated", requestId: number, identity: string, idp: string}
 *   | {event: "fingerprint-failed", associationId: string, presented: string, expected: string[]}
 *   | {event: "join-requested", associationId: string, identity: string, idp: string, verifiedAt: number}
 *   | {event: "endpoint-keyed", associationId: string, identity: string, fingerprint: string}
 *   | {event: "endpoint-left", associationId: string, identity?: string, reason: string}
 *   | {event: "source-refused", associationId: string, ssrc: number}
 *   | {event: "roster-changed", members: Member[], spi: number}} Happening
 */

/**
 * What a Worker writes for debugging if its URL asks for it, as `?debug=trace&debug=key-log`: the Key Distributor's
 * trace (a line of JSON for each event), and the secrets of its tunnel and associations (lines of SSLKEYLOGFILE).
 */
export const DEBUG_RECORDS = Object.freeze(/** @type {const} */ (["trace", "key-log"]));

/** @typedef {typeof DEBUG_RECORDS[number]} DebugRecord */

/** @typedef {{debug: DebugRecord, line: string}} DebugLine only for who has asked for it, never a `Happening` */

/** @typedef {Answer | Happening | DebugLine} Reply Worker to page */
