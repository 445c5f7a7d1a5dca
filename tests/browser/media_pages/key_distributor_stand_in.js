/**
 * Speaks the key channel with endpoints of the same page, as a Key Distributor does; trusts
 * everybody.
 */

/** Connects two RTCPeerConnections of one page. */
export async function join(caller, callee) {
  caller.onicecandidate = ({ candidate }) => callee.addIceCandidate(candidate);
  callee.onicecandidate = ({ candidate }) => caller.addIceCandidate(candidate);
  await caller.setLocalDescription();
  await callee.setRemoteDescription(caller.localDescription);
  await callee.setLocalDescription();
  await caller.setRemoteDescription(callee.localDescription);
}

const idOf = (number) => new Uint8Array(16).fill(number);

export class KeyDistributorStandIn {
  /** @type {Map<number, { identity: string, channel: RTCDataChannel, sources: object[] }>} */
  members = new Map();
  version = 0;
  acknowledged = [];

  constructor(codec) {
    this.codec = codec;
  }

  /** Makes the far end of an endpoint's key channel on a connection of its own. */
  async admit(number, identity, keyConnection) {
    const own = new RTCPeerConnection();
    const channel = own.createDataChannel("perc-key-distributor", { negotiated: true, id: 0 });
    channel.binaryType = "arraybuffer";
    const member = { identity, channel, sources: [] };
    this.members.set(number, member);
    channel.onmessage = ({ data }) => this.receive(member, this.codec.readMessage(data));
    const open = new Promise((resolve) => (channel.onopen = resolve));
    await join(keyConnection, own);
    await open;
  }

  receive(member, message) {
    if (message.type === "announce") member.sources = message.sources;
    else this.acknowledged.push(message.spi);
  }

  send(number, message) {
    this.members.get(number).channel.send(this.codec.writeMessage(message));
  }

  sendKey(spi, ttl = 300) {
    const key = crypto.getRandomValues(new Uint8Array(16));
    const salt = crypto.getRandomValues(new Uint8Array(12));
    for (const number of this.members.keys()) {
      this.send(number, { type: "ekt_key", key, salt, spi, ttl });
    }
  }

  /** Sends everybody the roster; `present` lists whose sources are in it. */
  sendRoster(present = [...this.members.keys()], identities = {}) {
    this.version += 1;
    const members = [...this.members].map(([number, { identity, sources }]) => ({
      id: idOf(number),
      identity: identities[number] ?? identity,
      verifiedAt: 1_790_000_000,
      spi: 0,
      sources: present.includes(number) ? sources : [],
    }));
    for (const number of this.members.keys()) {
      this.send(number, { type: "roster", version: this.version, you: idOf(number), members });
    }
  }
}
