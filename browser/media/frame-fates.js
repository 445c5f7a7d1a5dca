/**
 * What has become of frames, for people to read: the transform Worker's counters, summed up.
 */

/** Counted as well, but not of frames. */
const NO_FATES = ["key-frame-refused", "field-epoch", "field-ssrc", "field-unknown-type"];

/** @typedef {{ passed: number, dropped: Record<string, number> }} Fates by the reason of a drop */

/**
 * @param {Record<string, number>[]} counters of some slots
 * @returns {Fates}
 */
export function sumUp(counters) {
  let passed = 0;
  /** @type {Record<string, number>} */
  const dropped = {};
  for (const [fate, count] of counters.flatMap((each) => Object.entries(each))) {
    if (fate === "passed") passed += count;
    else if (!NO_FATES.includes(fate)) dropped[fate] = (dropped[fate] ?? 0) + count;
  }
  return { passed, dropped };
}

/** @param {Fates} fates */
export function describe({ passed, dropped }) {
  const reasons = Object.entries(dropped).sort(([, one], [, other]) => other - one);
  if (reasons.length === 0) return `${passed}, none dropped`;
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  return `${passed}, ${total} dropped (${reasons.map(([reason, count]) => `${reason} ${count}`).join(", ")})`;
}
