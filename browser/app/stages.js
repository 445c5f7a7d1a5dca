/**
 * The stages of opening and joining a room. An error keeps the stage in which it happened: the same
 * rejection means another thing at another stage.
 */

/**
 * @typedef {"loading" | "signing-in" | "starting-key-distributor" | "starting-conference" |
 *   "connecting-key-distributor" | "starting-media" | "offering" | "answering" | "connecting" |
 *   "awaiting-admission" | "keying" | "in-call"} Stage
 */

/** Something failed at a stage. */
export class StageError extends Error {
  /** @override */
  name = "StageError";

  /**
   * @param {Stage} stage
   * @param {unknown} cause
   */
  constructor(stage, cause) {
    super(`${stage}: ${cause}`, { cause });
    this.stage = stage;
  }
}

/**
 * @template T
 * @param {Stage} stage
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function during(stage, work) {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StageError ? error : new StageError(stage, error);
  }
}
