// The best rung: Supabase Realtime. A private channel of the user's own says that the inbox changed; what it is now
// is always asked of /v1/inbox, because a broadcast may be lost: after joining, on every message, once a minute, and
// whenever somebody returns. Loaded only where /v1/config names a project's publishable key. Whatever fails here is
// the next rung's turn, for a while.

import { RungBroken } from "./live.js";
import { NoClient, joinChannel } from "./realtime-channel.js";
import { readInbox } from "./rungs.js";
import { get } from "./store.js";

/** @typedef {import("./live.js").Ladder} Ladder @typedef {import("./live.js").Rung} Rung */

const LOOK_AGAIN_MS = 60_000;
const HIDDEN_MS = 20_000; // a tab that nobody looks at gives its socket back
const FIRST_BAR_MS = 5_000;
const LONGEST_BAR_MS = 5 * 60_000;

/**
 * Puts the rung on top of a ladder that is being climbed.
 * @param {Ladder} ladder
 * @param {object} way as in rungs.js
 * @param {() => number | null} way.version
 * @param {(inbox: Inbox | null, startedAtMs: number) => void} way.arrived
 * @param {() => Config} way.config
 */
export function addRealtime(ladder, { version, arrived, config }) {
  let falls = 0;

  /** Longer each time, unless it had held for a while. @param {number} joinedAtMs */
  function fallen(joinedAtMs) {
    if (joinedAtMs && Date.now() - joinedAtMs > LOOK_AGAIN_MS) falls = 0;
    const doubled = Math.min(LONGEST_BAR_MS, FIRST_BAR_MS * 2 ** falls++);
    return new RungBroken(doubled * (0.75 + Math.random() / 2));
  }

  /** @param {AbortSignal} signal */
  async function look(signal) {
    const startedAtMs = performance.now();
    ladder.hurry = false;
    arrived((await readInbox(version(), 0, signal)).inbox, startedAtMs);
  }

  /** The life of one connection. @returns {Promise<void>} */
  async function step() {
    const life = new AbortController();
    const alive = life.signal;
    let joinedAtMs = 0;
    let news = ladder.hurry;
    let wake = () => {};
    let away = 0;

    const tell = () => ((news = true), wake());
    const rest = () =>
      new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
        const timer = setTimeout(tell, LOOK_AGAIN_MS);
        wake = () => (clearTimeout(timer), resolve());
      });
    const onVisibility = () => {
      clearTimeout(away);
      if (document.hidden) away = setTimeout(() => life.abort(null), HIDDEN_MS);
    };

    alive.addEventListener("abort", () => wake());
    ladder.step.signal.addEventListener("abort", () => life.abort(new RungBroken(0)), { signal: alive });
    document.addEventListener("visibilitychange", onVisibility, { signal: alive });
    try {
      await session.token(); // signed out is another matter than a rung that breaks
      await joinChannel(config(), `user:${get().user}`, alive, {
        heard: (payload) => Number(payload?.version) <= (version() ?? -1) || tell(),
        joined: () => ((joinedAtMs ||= Date.now()), tell()),
        broken: (error) => alive.aborted || life.abort(error ?? fallen(joinedAtMs)),
      });
      while (!alive.aborted) {
        if (news) {
          news = false;
          await look(ladder.step.signal);
          if (joinedAtMs && !alive.aborted) ladder.report(rung);
        } else await rest();
      }
    } catch (error) {
      throw error instanceof NoClient ? new RungBroken(LONGEST_BAR_MS) : error;
    } finally {
      clearTimeout(away);
      life.abort(null);
    }
    if (alive.reason) throw alive.reason;
  }

  /** @type {Rung} */
  const rung = {
    name: "realtime",
    says: "live",
    offered: () => !document.hidden && version() !== null,
    everySeconds: () => 0,
    step,
  };
  ladder.rungs.unshift(rung);
  ladder.interrupt();
}
