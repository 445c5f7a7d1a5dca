/**
 * webrtc-identity's "Isolated Media Streams", as far as it is true without the browser's help: no track is isolated.
 *
 * To isolate one, the browser would have to keep the page from the track's content wherever it can be read (canvas,
 * Web Audio, recorders, encoded transforms); a script of that very page cannot. So `peerIdentity` in the constraints of
 * getUserMedia does nothing here, and these attributes say so to whoever looks.
 */

import { defineMembers, eventHandler } from "./webidl.js";

/** @param {typeof MediaStreamTrack.prototype} prototype */
export function defineIsolation(prototype) {
  if ("isolated" in prototype) return;
  const id = /** @type {() => string} */ (Object.getOwnPropertyDescriptor(prototype, "id")?.get);
  const brandCheck = (/** @type {unknown} */ track) => void Reflect.apply(id, track, []);
  const { get } = /** @type {PropertyDescriptor} */ (
    Object.getOwnPropertyDescriptor(
      {
        get isolated() {
          brandCheck(this);
          return false;
        },
      },
      "isolated",
    )
  );
  const onisolationchange = eventHandler("isolationchange", brandCheck);
  defineMembers(prototype, { isolated: { get, set: undefined }, onisolationchange });
}
