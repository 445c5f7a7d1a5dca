/**
 * The 68 numbered steps of the call flow ("PERC and WebRTC"; draft-roach-perc-webrtc-00, Section
 * 4.1), in the source's own words and order.
 */

/** @typedef {{ step: string, section: string, number: number, text: string }} Step */

/** Both joins, the owner's and a participant's, are the same steps under other numbers. */
const OFFER = [
  "new RTCPeerConnection()",
  "setIdentityProvider()",
  "createOffer()",
  "PeerConnection asks for the IdP proxy",
  "the IdP proxy is loaded",
  "the proxy asks its identity provider to sign",
  "the identity provider returns the assertion",
  "createOffer() resolves with a=identity",
  "POST /perc/offer",
];

const PROCESSING = [
  "call processing gives the signed offer to the Media Distributor",
  "SignAnswer: offer and answer go to the Key Distributor",
  "the Key Distributor asks for the offerer's IdP proxy",
  "the offerer's identity is validated",
  "the Key Distributor asks for its own IdP proxy",
  "its own IdP proxy is loaded",
  "the proxy asks its identity provider to sign",
  "the identity provider signs the answer",
  "SignAnswerAck: the signed answer goes to the Media Distributor",
  "the Media Distributor gives it to call processing",
];

const ANSWER = [
  "200 with the signed answer",
  "setRemoteDescription(answer)",
  "PeerConnection asks for the Key Distributor's IdP proxy",
  "the Key Distributor's identity is validated",
];

const MEDIA = [
  "DTLS from the PeerConnection to the Media Distributor",
  "the Media Distributor tunnels DTLS to the Key Distributor",
  "double-encrypted media",
];

const ESTABLISHMENT = [
  "GET /perc/{room}",
  "the app",
  "new RTCKeyDistributor()",
  "setIdentityProvider()",
  "getCertificate()",
  "the Key Distributor's certificate",
  "POST /start-conf with its fingerprint",
  "call processing tells the Media Distributor of the new conference",
  "the Media Distributor says where it listens",
  "200 with the Media Distributor's name and port",
  "connect(mdHost, mdPort)",
  "TLS from the Key Distributor to the Media Distributor",
  "SupportedProfiles",
  "connect() resolves",
];

/** @type {Readonly<Record<string, readonly string[]>>} */
const SECTIONS = {
  "4.1.1": ESTABLISHMENT,
  "4.1.2": OFFER,
  "4.1.3": PROCESSING,
  "4.1.4": ANSWER,
  "4.1.5": MEDIA,
  "4.1.6": ["GET /perc/{room}", "the app", ...OFFER],
  "4.1.7": PROCESSING,
  "4.1.8": ANSWER,
  "4.1.9": MEDIA,
};

/** @type {ReadonlyMap<string, Step>} */
export const STEPS = new Map(
  Object.entries(SECTIONS).flatMap(([section, texts]) =>
    texts.map((text, index) => {
      const step = `${section} (${index + 1})`;
      return [step, { step, section, number: index + 1, text }];
    }),
  ),
);

/**
 * Where the steps of one endpoint's join are, by its role.
 *
 * @type {Readonly<Record<"owner" | "participant", { offer: (step: number) => string, processing:
 *   (step: number) => string, answer: (step: number) => string, media: (step: number) => string
 *   }>>}
 */
export const JOIN_STEPS = {
  owner: {
    offer: (step) => `4.1.2 (${step})`,
    processing: (step) => `4.1.3 (${step})`,
    answer: (step) => `4.1.4 (${step})`,
    media: (step) => `4.1.5 (${step})`,
  },
  participant: {
    // Loading the page comes first: two steps that the owner has in 4.1.1.
    offer: (step) => `4.1.6 (${step + 2})`,
    processing: (step) => `4.1.7 (${step})`,
    answer: (step) => `4.1.8 (${step})`,
    media: (step) => `4.1.9 (${step})`,
  },
};
