// The two rungs that need nothing but /v1/inbox: a request that the server holds until something changes,
// and one every few seconds. Both know the inbox's version, so that an unchanged inbox costs a 304.

import { ApiError, request } from "./api.js";
import { RungBroken } from "./live.js";

/** @typedef {import("./live.js").Ladder} Ladder @typedef {import("./live.js").Rung} Rung */

const HOLD_SECONDS = 25;
const HIDDEN_SECONDS = 60;

/**
 * Asks for the inbox once.
 * @param {number | null} version the one we have
 * @param {number} holdSeconds how long the server may hold the answer; 0 = answer now
 * @param {AbortSignal} [signal]
 * @returns {Promise<{inbox: Inbox | null, held: boolean}>} inbox null: unchanged
 */
export async function readInbox(version, holdSeconds, signal) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (version !== null) headers["if-none-match"] = `"v${version}"`;
  if (holdSeconds) headers.prefer = `wait=${holdSeconds}`;
  const response = await request("GET", "/v1/inbox", { headers, signal, timeoutMs: (holdSeconds + 15) * 1000 });
  const held = /\bwait\b/.test(response.headers.get("preference-applied") ?? "");
  return { inbox: response.status === 304 ? null : await response.json(), held };
}

/**
 * @param {object} way
 * @param {() => number | null} way.version the inbox version we have
 * @param {(inbox: Inbox | null, startedAtMs: number) => void} way.arrived an answer; null = confirmed unchanged
 * @param {() => Config} way.config
 * @returns {Rung[]} best first
 */
export function pollingRungs({ version, arrived, config }) {
  let broken = 0;

  /** @param {Ladder} ladder @param {number} holdSeconds */
  async function look(ladder, holdSeconds) {
    const startedAtMs = performance.now();
    const { inbox, held } = await readInbox(version(), holdSeconds, ladder.step.signal);
    arrived(inbox, startedAtMs);
    return held;
  }

  /** Before waiting, look: at the start, when we return, after trouble. @param {Ladder} ladder */
  async function lookFirst(ladder) {
    if (!ladder.hurry) return false;
    ladder.hurry = false;
    await look(ladder, 0);
    return true;
  }

  const interval = () => (document.hidden ? HIDDEN_SECONDS : config().poll_interval_seconds || 5);

  /** @type {Rung} */
  const held = {
    name: "held",
    says: "live",
    offered: () => config().can_hold && !document.hidden && version() !== null,
    everySeconds: () => 0,
    async step(ladder) {
      if (await lookFirst(ladder)) return;
      const startedAtMs = performance.now();
      try {
        const held = await look(ladder, HOLD_SECONDS);
        // No place was free: requests that we let go of, when tabs changed the lead, end only after their time.
        if (!held && performance.now() - startedAtMs < 1000) throw new RungBroken(HOLD_SECONDS * 1000);
        broken = 0;
      } catch (error) {
        // A request that dies while it waits, twice, means something in between cuts long requests.
        const cut =
          error instanceof ApiError && error.status === 0 && navigator.onLine && performance.now() - startedAtMs > 3000;
        if (!cut || ladder.step.signal.aborted) throw error;
        ladder.hurry = true;
        broken += 1;
        if (broken >= 2) throw new RungBroken();
      }
    },
  };

  /** @type {Rung} */
  const timed = {
    name: "timed",
    says: "polling",
    offered: () => true,
    everySeconds: interval,
    async step(ladder) {
      if (await lookFirst(ladder)) return;
      await ladder.pause(interval() * 1000);
      ladder.hurry = false;
      if (!ladder.leave.signal.aborted) await look(ladder, 0);
    },
  };
  return [held, timed];
}
