import assert from "node:assert/strict";
import test from "node:test";
import { Tiles } from "../../../../browser/app/tiles.js";

const BOB = { id: "bob", identity: "bob@idp-b.localhost", verifiedAt: 0, spi: 1, sources: [] };

/** A view that remembers who was marked. */
function viewOf(marked) {
  const view = { mark: (id, isLagging) => marked.push([id, isLagging]) };
  for (const name of ["show", "remove", "attach", "detach", "play", "pause", "clear"])
    view[name] = () => {};
  return view;
}

function hear(media, op, detail) {
  media.dispatchEvent(new CustomEvent(op, { detail }));
}

test("whoever does not confirm a key is marked after a time, and whoever does is not any more", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const marked = [];
  const media = new EventTarget();
  new Tiles(media, viewOf(marked));
  hear(media, "roster", { you: "alice", members: [BOB] });
  hear(media, "key", { spi: 2 });
  assert.deepEqual(marked, []);
  t.mock.timers.tick(3_000);
  assert.deepEqual(marked, [["bob", true]]);
  hear(media, "roster", { you: "alice", members: [{ ...BOB, spi: 2 }] });
  assert.deepEqual(marked.at(-1), ["bob", false]);
});

test("tiles that are closed mark nobody: the next endpoint may have shown the same member", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const marked = [];
  const media = new EventTarget();
  const tiles = new Tiles(media, viewOf(marked));
  hear(media, "roster", { you: "alice", members: [BOB] });
  hear(media, "key", { spi: 2 });
  tiles.close();
  t.mock.timers.tick(3_000);
  assert.deepEqual(marked, []);
});
