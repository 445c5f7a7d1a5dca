/**
 * Connects the browser's transforms and the page's messages with the session; what happens to a
 * frame is decided there.
 */

import { Clock } from "./clock.js";
import { Parts } from "./parts.js";
import { Session } from "./session.js";
import { FrameDropped } from "./statistics.js";

/** Milliseconds between looks at the clock, for keys that expire and streams that fall silent. */
const TICK = 500;

/**
 * Runs a transform Worker. `worker.js` is the product's entry; a test that needs to look inside has
 * an entry of its own, which passes `parts` and keeps the session.
 *
 * @param {DedicatedWorkerGlobalScope} scope
 * @param {Parts} parts
 */
export function run(scope, parts = new Parts()) {
  const clock = new Clock();
  const now = () => clock.now();
  const session = new Session((message) => scope.postMessage(message), now, parts);
  scope.onrtctransform = ({ transformer }) => {
    const stream = session.openStream(transformer.options, transformer);
    // Ends when the transceiver stops; there is nobody left to inform.
    transformer.readable
      .pipeThrough(new TransformStream(passing(stream, parts, now)))
      .pipeTo(transformer.writable)
      .catch(() => {});
  };
  scope.onmessage = ({ data }) => session.receive(data);
  setInterval(() => session.tick(), TICK);
  scope.postMessage({ op: "ready" });
  return session;
}

/**
 * Frames go through one at a time and so keep their order, although every one of them suspends. A
 * frame that may not pass is dropped and counted; the stream continues.
 *
 * @param {import("./send-stream.js").SendStream |
 *   import("./receive-stream.js").ReceiveStream} stream
 * @param {Parts} parts
 * @param {() => number} now
 * @returns {Transformer<import("./send-stream.js").EncodedFrame>}
 */
function passing(stream, parts, now) {
  return {
    async transform(frame, controller) {
      try {
        await parts.process(stream, frame, now());
        controller.enqueue(frame);
        stream.statistics.count("passed");
      } catch (error) {
        stream.statistics.count(error instanceof FrameDropped ? error.reason : "internal");
      }
    },
  };
}
