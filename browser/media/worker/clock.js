/**
 * The Worker's time: milliseconds that go on while the computer sleeps.
 *
 * On Linux and macOS Chromium's performance.now() stands still meanwhile (w3c/hr-time, issue 115),
 * and an EKTKey would outlive its ttl. The time of day goes on. Only what it gains all at once
 * counts, so that clocks which drift or are set right do no harm; one that is set forward makes keys
 * end early.
 */

/** Milliseconds that a sleep lasts at least. */
const SLEEP = 5_000;

export class Clock {
  #awake;
  #timeOfDay;
  /** What the time of day was ahead of the time awake when they were last read. */
  #ahead;
  #slept = 0;

  /**
   * @param {() => number} awake milliseconds that never go back
   * @param {() => number} timeOfDay in milliseconds
   */
  constructor(awake = () => performance.now(), timeOfDay = Date.now) {
    this.#awake = awake;
    this.#timeOfDay = timeOfDay;
    this.#ahead = timeOfDay() - awake();
  }

  now() {
    const awake = this.#awake();
    const ahead = this.#timeOfDay() - awake;
    const gained = ahead - this.#ahead;
    if (gained >= SLEEP) this.#slept += gained;
    this.#ahead = ahead;
    return awake + this.#slept;
  }
}
