/** The transform Worker: the only place of a browser endpoint that holds end-to-end keys. */

import { run } from "./worker/run.js";

run(self);
