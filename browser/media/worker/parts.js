/**
 * What a session is made of. Nothing outside the Worker can reach it; a test runs the Worker with
 * parts of its own, to observe frames and messages and to take keys away (`run.js`).
 */

import { KeyChannel } from "./key-channel.js";
import { ParameterSets } from "./parameter-sets.js";
import { ReceiverKeys } from "./receiver-keys.js";
import { SenderKeys } from "./sender-keys.js";

/** The product's parts. */
export class Parts {
  sets = new ParameterSets();

  /**
   * @param {RTCDataChannel} channel
   * @param {import("./key-channel.js").KeyChannelHandlers} handlers
   */
  keyChannel(channel, handlers) {
    return new KeyChannel(channel, handlers);
  }

  senderKeys() {
    return new SenderKeys();
  }

  /**
   * @param {number} ssrc
   * @param {import("./statistics.js").Statistics} statistics
   */
  receiverKeys(ssrc, statistics) {
    return new ReceiverKeys(ssrc, this.sets, statistics);
  }

  /**
   * Protects or opens one frame.
   *
   * @param {import("./send-stream.js").SendStream |
   *   import("./receive-stream.js").ReceiveStream} stream
   * @param {import("./send-stream.js").EncodedFrame} frame
   * @param {number} now
   */
  process(stream, frame, now) {
    return stream.process(frame, now);
  }
}
