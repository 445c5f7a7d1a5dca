/**
 * Endpoints of one page that send each other media without a server between them.
 *
 * Both make offers, as endpoints of a conference do; each is answered with what the other one has,
 * as a Media Distributor would answer.
 */

import { KeyDistributorStandIn } from "./key_distributor_stand_in.js";

const modules = {};
let standIn;

export async function load(assets) {
  modules.connection = await import(`${assets}/media/connection.js`);
  modules.codec = await import(`${assets}/media/worker/key-channel-messages.js`);
  // Without a permission the browser hides its addresses behind mDNS names.
  await navigator.mediaDevices.getUserMedia({ audio: true });
  standIn = new KeyDistributorStandIn(modules.codec);
  window.loopback = { standIn, endpoint, connect, plainSender, pattern, tone, play, loudness };
}

/** A connection whose key channel takes another way than its media. */
class MediaPeerConnection extends RTCPeerConnection {
  keyConnection = new RTCPeerConnection();

  createDataChannel(...parameters) {
    return this.keyConnection.createDataChannel(...parameters);
  }
}

async function endpoint(number, identity, asserted = identity) {
  const { MediaConnection } = modules.connection;
  const pc = new MediaPeerConnection();
  const worker = await MediaConnection.startWorker();
  const media = new MediaConnection(pc, worker);
  const heard = [];
  const ops = "transformed channel key roster sending speaker released quiet failed".split(" ");
  for (const op of ops) media.addEventListener(op, ({ detail }) => heard.push(detail));
  media.open(asserted, 0);
  await pc.setLocalDescription();
  media.announce();
  await standIn.admit(number, identity, pc.keyConnection);
  return { number, pc, media, heard };
}

/** An endpoint without transforms: what it sends is as clear as a server could make it. */
function plainSender() {
  const pc = new RTCPeerConnection();
  const senders = ["audio", "video"].map((kind) => {
    const transceiver = pc.addTransceiver(kind, { direction: "sendonly" });
    const { codecs } = RTCRtpReceiver.getCapabilities(kind);
    transceiver.setCodecPreferences(
      codecs.filter(({ mimeType }) => /opus|vp8|rtx/i.test(mimeType)),
    );
    return transceiver.sender;
  });
  return {
    pc,
    attach: (tracks) => senders.map((sender, index) => sender.replaceTrack(tracks[index])),
  };
}

/** Lets the first endpoint send to the second, in its receiving pair with this number. */
async function connect(sender, receiver, pair = 0) {
  await Promise.all([sender.pc, receiver.pc].map(gathered));
  const [from, to] = [sender.pc.localDescription.sdp, receiver.pc.localDescription.sdp];
  const streams = { audio: sourceLines(from, "audio"), video: sourceLines(from, "video") };
  await receiver.pc.setRemoteDescription({
    type: "answer",
    sdp: answer(to, from, "active", streams, pair),
  });
  await sender.pc.setRemoteDescription({ type: "answer", sdp: answer(from, to, "passive", {}, 0) });
}

async function gathered(pc) {
  if (pc.signalingState === "stable") await pc.setLocalDescription();
  if (pc.iceGatheringState === "complete") return;
  await new Promise((resolve) => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && resolve();
  });
}

const linesOf = (sdp, pattern) => sdp.split("\r\n").filter((line) => pattern.test(line));
const sectionsOf = (sdp) => sdp.split(/\r\n(?=m=)/);

function sourceLines(sdp, kind) {
  const section = sectionsOf(sdp).find(
    (text) => text.startsWith(`m=${kind}`) && /a=sendonly/.test(text),
  );
  return linesOf(section ?? "", /^a=ssrc/);
}

function answer(offer, other, setup, streams, pair) {
  const [session, ...sections] = sectionsOf(offer);
  const transport = [
    ...new Set(linesOf(other, /^a=(ice-ufrag|ice-pwd|fingerprint):/)),
    ...new Set(linesOf(other, /^a=candidate:.* udp /)),
    `a=setup:${setup}`,
  ];
  const seen = { audio: 0, video: 0 };
  const answered = sections.map((section) => {
    const kind = /^m=(\w+)/.exec(section)[1];
    const isReceiving = section.includes("a=recvonly");
    const lines = linesOf(
      section,
      /^(m=|c=|a=(mid|rtcp-mux|rtpmap|fmtp|sctp-port|max-message)|a=rtcp-fb:.*(pli|remb))/,
    );
    if (kind !== "application") lines.push(isReceiving ? "a=sendonly" : "a=recvonly");
    if (isReceiving && seen[kind]++ === pair) lines.push(...(streams[kind] ?? []));
    return [lines[0], ...lines.slice(1), ...transport].join("\r\n");
  });
  const header = linesOf(session, /^(v|o|s|t)=|^a=group/);
  return [...header, ...answered, ""].join("\r\n");
}

/** A track with four colours, one in each quarter, and a mark that moves so that frames differ. */
function pattern(colours = ["#c00", "#0a0", "#00c", "#cc0"]) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const context = canvas.getContext("2d");
  let step = 0;
  const draw = () => {
    colours.forEach((colour, index) => {
      context.fillStyle = colour;
      context.fillRect((index % 2) * 160, index < 2 ? 0 : 120, 160, 120);
    });
    context.fillStyle = "#fff";
    context.fillRect(150 + (step++ % 10), 110, 20, 20);
  };
  draw();
  setInterval(draw, 50);
  return canvas.captureStream(20).getVideoTracks()[0];
}

const audioContext = new AudioContext();

function tone(frequency) {
  const oscillator = new OscillatorNode(audioContext, { frequency });
  const destination = audioContext.createMediaStreamDestination();
  oscillator.connect(destination);
  oscillator.start();
  return destination.stream.getAudioTracks()[0];
}

/** Plays a track and returns its element. */
function play(track) {
  const element = document.createElement(track.kind);
  Object.assign(element, { autoplay: true, muted: true, srcObject: new MediaStream([track]) });
  document.body.append(element);
  element.pixels = () => pixels(element);
  return element;
}

/** The colour in the middle of each quarter of what is shown, null if nothing is. */
function pixels(video) {
  if (video.videoWidth === 0) return null;
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  return [0, 1, 2, 3].map((index) => {
    const x = canvas.width * (index % 2 ? 0.75 : 0.25);
    const y = canvas.height * (index < 2 ? 0.25 : 0.75);
    return [...context.getImageData(x, y, 1, 1).data.slice(0, 3)];
  });
}

/** How loud a track is at a frequency, in decibels, over a while. */
async function loudness(track, frequency, milliseconds = 400) {
  const analyser = new AnalyserNode(audioContext, { fftSize: 4096, smoothingTimeConstant: 0 });
  audioContext.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const bins = new Float32Array(analyser.frequencyBinCount);
  const bin = Math.round((frequency * analyser.fftSize) / audioContext.sampleRate);
  let loudest = -Infinity;
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    analyser.getFloatFrequencyData(bins);
    loudest = Math.max(loudest, bins[bin]);
  }
  return loudest;
}
