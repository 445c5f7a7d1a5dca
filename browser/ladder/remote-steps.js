/**
 * Steps that happen where no page can see them: the Media Distributor reports them, by way of call
 * processing.
 */

import { report } from "./events.js";
import { JOIN_STEPS } from "./steps.js";

const ESTABLISHMENT = /** @type {Record<string, string>} */ ({
  "start-conf": "4.1.1 (7)",
  "new-conference": "4.1.1 (8)",
  "conference-ack": "4.1.1 (9)",
  tls: "4.1.1 (12)",
  profiles: "4.1.1 (13)",
});

/** What the page of the Key Distributor reports itself, where it happens. */
const SEEN_BY_HOST = ["start-conf", "sign-answer", "sign-answer-ack"];

/**
 * @param {{ step: string, role?: "owner" | "participant" }} event of the event stream
 * @param {boolean} isHost whether this page has the Key Distributor
 */
export function reportRemoteStep({ step, role = "owner" }, isHost) {
  if (isHost && SEEN_BY_HOST.includes(step)) return;
  const name = ESTABLISHMENT[step] ?? joinStep(step, role);
  if (name !== undefined) report(name);
}

/**
 * @param {string} step
 * @param {"owner" | "participant"} role
 * @returns {string | undefined}
 */
function joinStep(step, role) {
  const { processing, media } = JOIN_STEPS[role];
  const names = /** @type {Record<string, string>} */ ({
    offer: processing(1),
    "sign-answer": processing(2),
    "sign-answer-ack": processing(9),
    answer: processing(10),
    dtls: media(1),
    "tunneled-dtls": media(2),
    media: media(3),
  });
  return names[step];
}
