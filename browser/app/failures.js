/**
 * What a failure means to the user, and what they can do. Every refusal that the protocols know has
 * its words here.
 */

import { HostedElsewhere } from "./room-claim.js";
import { ProblemError } from "./signalling.js";
import { StageError } from "./stages.js";

/**
 * @typedef {{ title: string, text: string, detail: string }} Failure `detail`: the error's own
 *   words, for reports
 */

/** @type {[string, string]} */
const SOURCE_TAKEN = [
  "Other participants already use your streams’ numbers",
  "Your page chose new ones, and those were taken as well: that is an attack. Nothing was sent.",
];

/** By the kind of a problem that call processing reports. */
const PROBLEMS = /** @type {Record<string, [string, string]>} */ ({
  conflict: [
    "This room is already open",
    "Somebody hosts a conference under this name. Ask for their link, or choose another name.",
  ],
  "not-live": ["The host is not here", "The conference has not started, or its host is away."],
  "no-such-conference": ["The conference is over", "It ended before you were in it."],
  "no-such-endpoint": [
    "You are no longer in this conference",
    "The connection was given up. Join again.",
  ],
  "no-key-distributor": ["The host is not here", "Their Key Distributor is not connected."],
  "invalid-offer": [
    "Your browser’s offer was not accepted",
    "It says something that is not allowed here.",
  ],
  "source-taken": SOURCE_TAKEN,
  "too-large": [
    "The conference is too large",
    "Offer and answer no longer fit the Key Distributor's tunnel.",
  ],
  full: ["The conference is full", "There is no room for another participant."],
  "too-many": ["Too many try this at once from your network", "Wait a minute, and try again."],
  timeout: [
    "The host did not answer in time",
    "Their Key Distributor or an identity provider is slow.",
  ],
  unavailable: [
    "The Media Distributor cannot be reached",
    "The service is not working. Try again later.",
  ],
  "foreign-origin": [
    "This page was opened at the wrong address",
    "Open the link as it was given to you.",
  ],
  version: ["This page is out of date", "Reload it."],
});

/** How a Key Distributor begins a refusal that is its owner's wish (`perc.key_distributor.signing`). */
const NOT_ADMITTED = "the host does not admit";

/** How it begins the error of a tunnel that the Media Distributor ended by an alert (`perc.runtime.errors`). */
const TUNNEL_REFUSED = "the Media Distributor refused the connection";

/** By the errorDetail of an identity provider (W3C webrtc-identity), for one's own provider. */
const IDENTITY = /** @type {Record<string, string>} */ ({
  "idp-load-failure": "It could not be loaded.",
  "idp-tls-failure": "Its connection is not secure.",
  "idp-bad-script-failure": "It sent something that is no identity provider.",
  "idp-execution-failure": "It failed.",
  "idp-need-login": "You are signed out. Go back and sign in.",
  "idp-timeout": "It did not answer in time.",
  "idp-token-expired": "Its statement has expired.",
  "idp-token-invalid": "Its statement is not valid.",
});

/** By stage, where nothing more precise is known. */
const STAGES = /** @type {Record<import("./stages.js").Stage, [string, string]>} */ ({
  loading: ["The page could not be loaded", "The server did not answer."],
  "signing-in": ["Your identity provider did not help", "Try again, or choose another one."],
  "starting-key-distributor": [
    "The Key Distributor did not start",
    "Its code could not be loaded.",
  ],
  "starting-conference": ["The conference could not be started", "The server did not answer."],
  "connecting-key-distributor": [
    "The Key Distributor could not connect",
    "The tunnel to the Media Distributor did not come about.",
  ],
  "starting-media": ["End-to-end encryption did not start", "Nothing was sent. Reload the page."],
  offering: ["Your offer was not answered", "The server did not answer."],
  answering: ["The answer was not accepted", "It is not a valid answer to your offer."],
  connecting: ["No connection to the Media Distributor", "Your network may not let it through."],
  "awaiting-admission": [
    "You were not let in",
    "The connection was lost while you waited for the host.",
  ],
  keying: ["No keys came", "The host’s Key Distributor did not give you any."],
  "in-call": ["The call broke off", "The connection was lost."],
});

/** By the reason of the transform Worker. */
const WORKER =
  /** @type {Record<import("../media/messages.js").FailureReason, [string, string]>} */ ({
    malformed: [
      "The Key Distributor sent something invalid",
      "The connection was closed, and your keys were forgotten.",
    ],
    "not-me": [
      "The host has you under another name",
      "The roster lists you with an identity that is not yours. You have left.",
    ],
    "source-taken": SOURCE_TAKEN,
  });

/** The transform Worker ended the session. */
export class SessionFailed extends Error {
  /** @override */
  name = "SessionFailed";

  /**
   * @param {import("../media/messages.js").FailureReason} reason
   * @param {string} detail
   */
  constructor(reason, detail) {
    super(detail);
    this.reason = reason;
  }
}

/**
 * Whether another endpoint already sends with an SSRC of this one, so that new ones may help.
 *
 * @param {unknown} error
 */
export function isSourceTaken(error) {
  const cause = error instanceof StageError ? error.cause : error;
  if (cause instanceof ProblemError) return cause.kind === "source-taken";
  return cause instanceof SessionFailed && cause.reason === "source-taken";
}

/**
 * Whether a room was refused because nobody hosts it at this moment.
 *
 * @param {unknown} error
 */
export function isHostAway(error) {
  const cause = error instanceof StageError ? error.cause : error;
  return (
    cause instanceof ProblemError &&
    ["not-live", "no-such-conference", "no-key-distributor"].includes(cause.kind)
  );
}

/**
 * @param {unknown} error
 * @param {{ owner: string | null }} context whom the link names
 * @returns {Failure}
 */
export function describeFailure(error, context) {
  const stage = error instanceof StageError ? error.stage : "in-call";
  const cause = error instanceof StageError ? error.cause : error;
  const detail = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const [title, text] = words(stage, cause, context);
  return { title, text, detail };
}

/**
 * @param {import("./stages.js").Stage} stage
 * @param {unknown} cause
 * @param {{ owner: string | null }} context
 * @returns {[string, string]}
 */
function words(stage, cause, { owner }) {
  if (cause instanceof SessionFailed) return WORKER[cause.reason];
  if (cause instanceof HostedElsewhere) {
    return [
      "You host this room in another tab",
      "Go on there, or end the conference there and open the room here.",
    ];
  }
  if (cause instanceof ProblemError) {
    if (cause.kind === "refused") return refusalWords(cause.message);
    return PROBLEMS[cause.kind] ?? STAGES[stage];
  }
  const { name, message, errorDetail } = members(cause);
  if (stage === "answering") return answerWords(errorDetail, owner);
  if (errorDetail !== undefined && errorDetail in IDENTITY) {
    return ["Your identity provider did not help", IDENTITY[errorDetail] ?? ""];
  }
  if (stage === "signing-in" && name === "NotAllowedError") {
    return ["The sign-in window was blocked", "Allow pop-ups for this page, and try again."];
  }
  if (stage === "signing-in" && name === "AbortError") {
    return [
      "You did not sign in",
      "The sign-in window was closed. Try again, or choose another provider.",
    ];
  }
  if (stage === "connecting-key-distributor" && name === "SecurityError") {
    return [
      "The Media Distributor is not who it claims to be",
      "Its certificate is not trusted, or has another name. The conference was not started.",
    ];
  }
  if (stage === "connecting-key-distributor" && message?.startsWith(TUNNEL_REFUSED)) {
    return [
      "The Media Distributor expects another Key Distributor",
      "The room was announced with a certificate that is not yours, so your keys would not be the " +
        "ones in use. The conference was not started.",
    ];
  }
  if (name === "TimeoutError") return [STAGES[stage][0], "There was no answer in time."];
  return STAGES[stage];
}

/**
 * The host's Key Distributor gave a reason (sign_answer_reject).
 *
 * @param {string} reason
 * @returns {[string, string]}
 */
function refusalWords(reason) {
  const [title, text] = reason.startsWith(NOT_ADMITTED)
    ? ["The host does not admit you", "You are not on their Key Distributor’s guest list."]
    : [
        "You were not admitted",
        "The host’s Key Distributor did not accept your identity or your offer.",
      ];
  return [title, `${text} It said: “${reason}”`];
}

/**
 * An error's members; createOffer has what an identity provider did wrong as the cause of its own.
 *
 * @param {any} error
 * @returns {{ name?: string, message?: string, errorDetail?: string }}
 */
function members(error) {
  return error?.cause?.errorDetail ? error.cause : (error ?? {});
}

/**
 * An answer that the page did not accept: nobody was connected, and nothing was sent.
 *
 * @param {string | undefined} errorDetail
 * @param {string | null} owner
 * @returns {[string, string]}
 */
function answerWords(errorDetail, owner) {
  if (errorDetail === "idp-timeout" || errorDetail === "idp-load-failure") {
    return [
      "The host’s identity could not be checked",
      "Their identity provider did not answer. You were not connected.",
    ];
  }
  if (owner === null) {
    return ["The host’s identity is not valid", "You were not connected, and nothing was sent."];
  }
  return [
    `This is not ${owner}`,
    "Somebody else answers under this room’s name, or their identity is not valid. " +
      "You were not connected, and nothing was sent.",
  ];
}

/**
 * Why there is no microphone or camera; the user may join without.
 *
 * @param {unknown} error of getUserMedia
 * @param {"audio" | "video"} kind
 */
export function describeDevice(error, kind) {
  const device = kind === "audio" ? "microphone" : "camera";
  const { name } = /** @type {{ name?: string }} */ (error ?? {});
  if (name === "NotAllowedError")
    return `This page may not use your ${device}. You can join without it.`;
  if (name === "NotFoundError") return `No ${device} was found. You can join without it.`;
  return `Your ${device} could not be opened. You can join without it.`;
}
