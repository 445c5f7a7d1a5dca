/**
 * The transform Worker: the only place of a browser endpoint that holds end-to-end keys.
 *
 * Connects the browser's transforms and the page's messages with the session; what happens to a
 * frame is decided there.
 */

import { Clock } from "./worker/clock.js";
import { Session } from "./worker/session.js";
import { FrameDropped } from "./worker/statistics.js";

/** Milliseconds between looks at the clock, for keys that expire and streams that fall silent. */
const TICK = 500;

const clock = new Clock();

const session = new Session(
  (message) => self.postMessage(message),
  () => clock.now(),
);

/**
 * Frames go through one at a time and so keep their order, although every one of them suspends. A
 * frame that may not pass is dropped and counted; the stream goes on.
 *
 * @param {import("./worker/send-stream.js").SendStream |
 *   import("./worker/receive-stream.js").ReceiveStream} stream
 * @returns {Transformer<import("./worker/send-stream.js").EncodedFrame>}
 */
function passing(stream) {
  return {
    async transform(frame, controller) {
      try {
        await stream.process(frame, clock.now());
        controller.enqueue(frame);
        stream.statistics.count("passed");
      } catch (error) {
        stream.statistics.count(error instanceof FrameDropped ? error.reason : "internal");
      }
    },
  };
}

self.onrtctransform = ({ transformer }) => {
  const stream = session.openStream(transformer.options, transformer);
  const transform = new TransformStream(passing(stream));
  // Ends when the transceiver stops; there is nobody left to tell.
  transformer.readable
    .pipeThrough(transform)
    .pipeTo(transformer.writable)
    .catch(() => {});
};

self.onmessage = ({ data }) => session.receive(data);

setInterval(() => session.tick(), TICK);

self.postMessage({ op: "ready" });
