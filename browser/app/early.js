/**
 * Runs before the page's other modules are loaded: a host's Key Distributor takes a second to start, which passes while its
 * owner signs in.
 */

import { prepareWorker } from "../key-distributor/worker-client.js";
import "./debugging.js"; // before a Worker starts
import { readLink } from "./links.js";

if (readLink(location)?.isHost) prepareWorker();
