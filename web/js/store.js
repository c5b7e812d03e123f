// The page's state, in one place. Whoever changes it calls `set`; whoever shows it calls `watch`.

/**
 * @typedef {object} State
 * @property {string} user id of the user who is signed in; "" before that
 * @property {boolean} signedOut nobody is, and we know it
 * @property {boolean} sessionEnded somebody was, until just now
 * @property {Directory | null} directory contacts and agents; null until first known
 * @property {Inbox | null} inbox what the badges show; null until first known
 * @property {number} inboxAtMs when the server last confirmed it, local clock; 0 = never in this visit
 * @property {Updates} updates how this page hears about changes
 * @property {PushState} push whether this very browser is notified
 * @property {string} subscriptionId this browser's subscription on the server, "" if none
 * @property {Preferences | null} preferences null until first read
 * @property {{page: "list" | "contact" | "settings", contact: string}} place what the address says
 */

/** @type {State} */
let state = {
  user: "",
  signedOut: false,
  sessionEnded: false,
  directory: null,
  inbox: null,
  inboxAtMs: 0,
  updates: { state: "starting", everySeconds: 5, retryAtMs: null, reason: null },
  push: "unknown",
  subscriptionId: "",
  preferences: null,
  place: { page: "list", contact: "" },
};

/** @type {Set<{keys: (keyof State)[], run: () => void}>} */
const watchers = new Set();
/** @type {Set<keyof State>} */
let changed = new Set();

/** The state now. @returns {Readonly<State>} */
export const get = () => state;

/** Changes some of it; watchers run together, once, right after the current task. @param {Partial<State>} change */
export function set(change) {
  if (!changed.size) queueMicrotask(tell);
  for (const key of /** @type {(keyof State)[]} */ (Object.keys(change))) changed.add(key);
  state = { ...state, ...change };
}

function tell() {
  const keys = changed;
  changed = new Set();
  for (const watcher of [...watchers]) if (watcher.keys.some((key) => keys.has(key))) watcher.run();
}

/**
 * Runs now and after each change of one of the keys.
 * @param {(keyof State)[]} keys
 * @param {() => void} run
 * @returns {() => void} stops watching
 */
export function watch(keys, run) {
  const watcher = { keys, run };
  watchers.add(watcher);
  run();
  return () => watchers.delete(watcher);
}

/** The server's clock, as near as the last inbox tells it. @returns {number} ms since 1970 */
export const nowMs = () => Date.now() + skewMs;
let skewMs = 0;

/** Learns how far the local clock is off; a second or two is only the way of the answer. @param {Timestamp} serverNow */
export function learnClock(serverNow) {
  const off = Date.parse(serverNow) - Date.now();
  skewMs = Math.abs(off) > 2000 ? off : 0;
}

/** @param {string | null | undefined} id @returns {Agent | undefined} */
export const agentOf = (id) => state.directory?.agents.find((agent) => agent.id === id);
/** @param {string} id @returns {Contact | undefined} */
export const contactOf = (id) => state.directory?.contacts.find((contact) => contact.id === id);
/** @param {string} id @returns {readonly ContactState[]} what the agents last did for a contact */
export const statesOf = (id) => byContact().get(id) ?? [];

/** @type {ContactState[] | undefined} */
let sorted;
/** @type {Map<string, ContactState[]>} */
let sortedByContact = new Map();

/** The states of the inbox by contact, sorted once for each inbox: every card asks. */
function byContact() {
  if (sorted === state.inbox?.states) return sortedByContact;
  sorted = state.inbox?.states;
  sortedByContact = new Map();
  for (const entry of sorted ?? []) {
    const others = sortedByContact.get(entry.contact_id);
    if (others) others.push(entry);
    else sortedByContact.set(entry.contact_id, [entry]);
  }
  return sortedByContact;
}
