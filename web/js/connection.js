// Everything that is not seen: who is signed in, the ladder, the other tabs, the worker's messages.
// `connect()` brings the store to life and keeps it right until the page is left; it is all an app needs
// beside <contact-card> and <contact-view>.

import "./memory.js";
import "./session.js";
import { arrived, overheard, readDirectory, recall } from "./inbox.js";
import { Ladder } from "./live.js";
import { pollingRungs, readInbox } from "./rungs.js";
import { get, set } from "./store.js";
import { joinTabs } from "./tabs.js";

const LONG_HIDDEN_MS = 20_000;
/** @type {Config} */
let config;
/** @type {Ladder | null} */
let ladder = null;
/** @type {ReturnType<typeof joinTabs> | null} */
let tabs = null;
/** @type {Promise<void> | null} */
let looking = null;

/** The server's configuration, once connected. */
export const serverConfig = () => config;

/** Signs in with what this browser holds, and keeps the store up to date from then on. */
export async function connect() {
  for (let wait = 1; ; wait = Math.min(30, wait * 2)) {
    try {
      config = await session.config();
      const user = session.userOf(await session.token());
      set({ user, signedOut: false, sessionEnded: false });
      await recall(user);
      break;
    } catch (error) {
      if (isOver(error)) return;
      set({
        updates: { state: "offline", everySeconds: 0, retryAtMs: Date.now() + wait * 1000, reason: "unreachable" },
      });
      await new Promise((resolve) => {
        setTimeout(resolve, wait * 1000);
        document.addEventListener("taskbell-try", resolve, { once: true });
        addEventListener("online", resolve, { once: true });
      });
    }
  }
  void readDirectory();
  join();
  // The network came or went: a request that is held may be dead and not know it.
  for (const change of ["online", "offline"]) addEventListener(change, () => ladder?.interrupt());
  addEventListener("pagehide", part);
  addEventListener("pageshow", ({ persisted }) => void (persisted && !get().signedOut && join()));
  document.addEventListener("visibilitychange", onVisibility);
  document.addEventListener("taskbell-try", refresh);
}

let hiddenAtMs = 0;

/** Whoever returns sees what is true now. After a long sleep a held request is not to be trusted. */
function onVisibility() {
  if (document.hidden) hiddenAtMs = Date.now();
  else if (Date.now() - hiddenAtMs < LONG_HIDDEN_MS) refresh();
  else {
    void readDirectory();
    ladder ? ladder.interrupt() : refresh();
  }
}

function join() {
  tabs ??= joinTabs({ lead, hear });
  tabs.tell({ type: "ask" });
}

/** Leaves nothing behind: no request, no lock, no channel. */
function part() {
  tabs?.leave();
  tabs = null;
  ladder = null;
}

/** This tab asks the server and tells the others. @param {AbortSignal} signal */
function lead(signal) {
  const way = { version, arrived: receive, config: () => config };
  const ours = (ladder = new Ladder(pollingRungs(way), hears, isOver));
  signal.addEventListener("abort", () => {
    ours.stop();
    if (ladder === ours) ladder = null;
  });
  void ours.climb();
  if (config.supabase_publishable_key) import("./realtime.js").then((it) => it.addRealtime(ours, way), isOver);
}

const version = () => get().inbox?.version ?? null;

/** @param {Inbox | null} inbox @param {number} startedAtMs */
function receive(inbox, startedAtMs) {
  const what = arrived(inbox, startedAtMs);
  if (inbox && what !== "kept") tabs?.tell({ type: "inbox", user: get().user, inbox, reset: what === "reset" });
}

/** @param {Updates} updates */
function hears(updates) {
  if (JSON.stringify(updates) === JSON.stringify(get().updates)) return;
  set({ updates });
  tabs?.tell({ type: "updates", updates });
}

/** @param {TabMessage} message */
function hear(message) {
  const { user, inbox, updates } = get();
  if (message.type === "inbox" && message.user === user) overheard(message.inbox, message.reset);
  if (message.type === "updates" && !tabs?.leads()) set({ updates: message.updates });
  if (message.type === "refresh" && tabs?.leads()) refresh();
  if (message.type === "reload") location.reload();
  if (message.type === "touched")
    document.dispatchEvent(new CustomEvent("taskbell-touched", { detail: message.contact }));
  if (message.type === "ask" && tabs?.leads()) {
    tabs.tell({ type: "updates", updates });
    if (inbox) tabs.tell({ type: "inbox", user, inbox, reset: false });
  }
}

/** Something may have changed: whoever leads looks now. */
export function refresh() {
  if (!tabs?.leads()) return tabs?.tell({ type: "refresh" });
  // A held request is left alone: it may be answered any moment. A quick one beside it makes sure.
  if (ladder?.nudge()) return;
  const startedAtMs = performance.now();
  looking ??= readInbox(version(), 0)
    .then(({ inbox }) => receive(inbox, startedAtMs))
    .catch(isOver)
    .then(() => void (looking = null));
}

/** Tells the other tabs that details of a contact changed. @param {string | null} contact null: anything */
export const touched = (contact) => tabs?.tell({ type: "touched", contact });
/** Who is signed in changed: all tabs start over. @param {string} [address] where this one goes */
export function startOver(address = "/") {
  (tabs ?? { tell: (/** @type {TabMessage} */ message) => new BroadcastChannel("taskbell").postMessage(message) }).tell(
    { type: "reload" },
  );
  location.replace(address);
}

/** @param {unknown} error @returns {boolean} the session is over; the page shows the sign-in */
function isOver(error) {
  if (!(error instanceof session.SignedOut)) return false;
  set({ signedOut: true, sessionEnded: get().user !== "" });
  part();
  return true;
}
