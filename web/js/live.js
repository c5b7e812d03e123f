// The ladder of ways to hear about changes, best first: Realtime where there is one, held polling, polling by the clock.
// One rung at a time; a rung that does not hold is barred for a while and the next one below takes over, unnoticed.
// In: rungs. Out: each inbox to `arrived`, and how we hear to `hears`. One `Ladder` runs in one tab, see tabs.js.

/**
 * One way of hearing. `step` is one request, or the life of one connection: it resolves to be asked again.
 * @typedef {object} Rung
 * @property {string} name
 * @property {"live" | "polling"} says
 * @property {() => boolean} offered whether it can be stood on now (asked before every step)
 * @property {() => number} everySeconds what the status line says of a polling rung
 * @property {(ladder: Ladder) => Promise<void>} step throws RungBroken, ApiError or SignedOut
 */

/** This way does not work here, for a while; another may. */
export class RungBroken extends Error {
  /** @param {number} [barredMs] how long it is not worth trying again */
  constructor(barredMs = 5 * 60_000) {
    super();
    this.barredMs = barredMs;
  }
}

const LONGEST_WAIT_MS = 60_000;

export class Ladder {
  /**
   * @param {Rung[]} rungs best first; the last one is always offered
   * @param {(updates: Updates) => void} hears
   * @param {(error: unknown) => boolean} isFinal errors that no retry mends (the session is over)
   */
  constructor(rungs, hears, isFinal) {
    this.rungs = rungs;
    this.hears = hears;
    this.isFinal = isFinal;
    this.leave = new AbortController();
    /** Aborts the step that is under way. */
    this.step = new AbortController();
    /** @type {Map<string, number>} name → until when it is barred, ms */
    this.barred = new Map();
    /** @type {(() => void) | null} */
    this.wakeUp = null;
    this.failures = 0;
    /** Whether the next step must look at once instead of waiting to be told. */
    this.hurry = true;
  }

  /** Stops for good; whatever is in flight is aborted. */
  stop() {
    this.leave.abort();
    this.step.abort();
    this.wakeUp?.();
  }

  /** Whatever is held may be dead (the network changed): lets go of it and looks now. */
  interrupt() {
    if (!this.nudge()) this.step.abort();
  }

  /** Something may have changed: ends a pause to look now. @returns {boolean} false: there was none, the ladder is asking or being held */
  nudge() {
    if (!this.wakeUp) return false;
    this.hurry = true;
    this.wakeUp();
    return true;
  }

  /** Sleeps, unless nudged or stopped. @param {number} ms @returns {Promise<void>} */
  pause(ms) {
    if (this.leave.signal.aborted || this.hurry) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const ladder = this;
      function done() {
        clearTimeout(timer);
        ladder.wakeUp = null;
        resolve();
      }
      this.wakeUp = done;
    });
  }

  /** Climbs until stopped. */
  async climb() {
    while (!this.leave.signal.aborted) {
      const rung = this.best();
      const step = (this.step = new AbortController());
      try {
        await rung.step(this);
        this.failures = 0;
        this.report(this.best());
      } catch (error) {
        if (this.leave.signal.aborted || this.isFinal(error)) return;
        if (step.signal.aborted) this.hurry = true;
        else if (error instanceof RungBroken) {
          this.barred.set(rung.name, Date.now() + error.barredMs);
          this.report(this.best());
        } else await this.backOff(error);
      }
    }
  }

  best() {
    const now = Date.now();
    const able = this.rungs.find((rung) => rung.offered() && !((this.barred.get(rung.name) ?? 0) > now));
    return able ?? this.rungs[this.rungs.length - 1];
  }

  /** @param {Rung} rung */
  report(rung) {
    this.hears({ state: rung.says, everySeconds: rung.everySeconds(), retryAtMs: null, reason: null });
  }

  /** Waits 1, 2, 4 … 60 s with jitter, or as long as the server asked for. @param {any} error */
  async backOff(error) {
    this.failures += 1;
    this.hurry = false;
    const doubled = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (this.failures - 1)) * (0.75 + Math.random() / 2);
    const waitMs = Math.max(doubled, (Number(error?.retryAfterSeconds) || 0) * 1000);
    // One stumble is not worth a word, unless the browser itself says that it is offline.
    if (this.failures > 1 || error?.reason === "offline") {
      const reason = String(error?.reason ?? "unreachable");
      this.hears({ state: "offline", everySeconds: 0, retryAtMs: Date.now() + waitMs, reason });
    }
    await this.pause(waitMs);
    this.hurry = true;
  }
}
