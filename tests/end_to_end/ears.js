// Within a transform Worker whose private fields are open: remembers every frame before it is protected and after it is
// opened, and finds the keys. Served in front of the Worker's own code (`opened_worker.py`).

globalThis.ears = {
  encoded: [],
  played: [],
  heard: [],

  // Whether frames are to leave as they are: what no product would do, and what the test's eyes must see.
  isClear: false,

  // Key channel messages of this type wait until the test lets them go on.
  withheld: null,
  gate: Promise.withResolvers(),

  async hear(stream, frame, process) {
    const isSending = !("_bound" in stream);
    const kind = stream._format.kind;
    if (isSending) this.encoded.push({ kind, data: frame.data.slice(0) });
    if (isSending && this.isClear) return;
    await process();
    if (isSending) return;
    this.played.push({ kind, as: this.nameOf(stream), data: frame.data.slice(0) });
  },

  // The name that a slot has, if any.
  nameOf: (stream) =>
    session.roster.members.find(({ id }) => id === stream._bound?.member)?.identity,

  async receive(message, handle) {
    if (message.type === this.withheld) await this.gate.promise;
    this.heard.push(message);
    return handle(message);
  },

  // All that was remembered since the last time, with octets in Base64.
  take(name) {
    const taken = this[name];
    this[name] = [];
    return taken.map(({ data, ...rest }) => ({ ...rest, data: base64(new Uint8Array(data)) }));
  },

  sets: () => session._sets,
  senders: () => [...session._senders.values()].map(({ sender }) => sender),
  receivers: () => [...session._receivers.values()],
};

function base64(octets) {
  let binary = "";
  for (const octet of octets) binary += String.fromCharCode(octet);
  return btoa(binary);
}
