/**
 * The SSRCs that an offer says it will send, without those of retransmissions: RTX has no inner
 * layer (RFC 8723, Section 7.1).
 */

/**
 * @param {string} sdp
 * @returns {import("./messages.js").AnnouncedSource[]}
 */
export function readSendingSources(sdp) {
  return sdp
    .split(/\r\nm=/)
    .slice(1)
    .flatMap(readSection);
}

/**
 * @param {string} section a media section, its first line without `m=`
 * @returns {import("./messages.js").AnnouncedSource[]}
 */
function readSection(section) {
  const kind = section.startsWith("audio") ? "audio" : "video";
  const lines = section.split("\r\n");
  if (!/^(audio|video) /.test(section) || !lines.includes("a=sendonly")) return [];
  const repairs = lines.flatMap((line) => /^a=ssrc-group:FID \d+ (\d+)$/.exec(line)?.[1] ?? []);
  const listed = lines.flatMap((line) => /^a=ssrc:(\d+) /.exec(line)?.[1] ?? []);
  const media = [...new Set(listed)].filter((ssrc) => !repairs.includes(ssrc));
  return media.map((ssrc) => ({ ssrc: Number(ssrc), kind, origin: "camera" }));
}
