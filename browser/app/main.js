/** Starts the page: the landing page at `/`, a room's page at `/perc/{room}`. */

import { apply } from "../identity/index.js";
import { report } from "../ladder/events.js";
import { isSupported } from "../media/connection.js";
import { Conference } from "./conference.js";
import { debugging } from "./debugging.js";
import { readLink } from "./links.js";
import { DebuggingView } from "./view/debugging.js";
import { showLanding } from "./view/landing.js";
import { FramesView } from "./view/frames.js";
import { LogView } from "./view/log.js";
import { RoomView } from "./view/room.js";
import { show } from "./view/elements.js";
import { TileGrid } from "./view/tile-grid.js";

/** @param {import("./links.js").RoomLink} link */
function openRoom(link) {
  const steps = link.isHost ? ["4.1.1 (1)", "4.1.1 (2)"] : ["4.1.6 (1)", "4.1.6 (2)"];
  for (const step of steps) report(step, { room: link.room });
  apply(window);
  const grid = new TileGrid();
  const conference = new Conference(link, grid);
  new RoomView(conference, grid);
  new LogView();
  new FramesView(conference);
  new DebuggingView(debugging);
  conference.start();
}

const link = readLink(location);
// The fragment says whose room it is: another one is another page.
window.addEventListener("hashchange", () => location.reload());
if (!isSupported()) show("unsupported");
else if (link === null) showLanding();
else openRoom(link);
