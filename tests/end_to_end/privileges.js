// Before the page's own code: what a tester needs to disturb a page. Its Workers, and what an RTCPeerConnection does
// without the identity shim.
globalThis.workers = [];
globalThis.Worker = new Proxy(Worker, {
  construct: (target, values, newTarget) => {
    const worker = Reflect.construct(target, values, newTarget);
    workers.push(worker);
    return worker;
  },
});

(({ createOffer, setLocalDescription, setRemoteDescription }) => {
  globalThis.privileges = {
    // Offers again, and takes the answer of before.
    renegotiate: async () => {
      const pc = connections.at(-1);
      await setLocalDescription.call(pc, await createOffer.call(pc));
      const { sdp } = pc.currentRemoteDescription;
      await setRemoteDescription.call(pc, { type: "answer", sdp });
    },

    // Gives both senders new transforms, or takes theirs away.
    replaceTransforms: (make) => {
      const senders = connections.at(-1).getSenders().slice(0, 2);
      for (const [slot, sender] of senders.entries()) sender.transform = make ? make(slot) : null;
    },

    makeTransform: (slot) =>
      new RTCRtpScriptTransform(workers.at(-1), {
        slot,
        direction: "send",
        kind: ["audio", "video"][slot],
      }),

    // Frames that decoders have had so far.
    framesDecoded: async () => {
      const statistics = [...(await connections.at(-1).getStats()).values()];
      return statistics.reduce((sum, { framesDecoded = 0 }) => sum + framesDecoded, 0);
    },
  };
})(RTCPeerConnection.prototype);
