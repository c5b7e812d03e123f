// An inbox arrives: from the server, another tab, or memory. Older never overwrites newer. What changed is announced,
// counted in the title and on the app's icon, kept for offline reading, and notifications that are settled are closed.

import { api } from "./api.js";
import { countUnseen, news } from "./badges.js";
import { closeSettled } from "./notes.js";
import { get, learnClock, set } from "./store.js";

/** When the inbox that stands was applied, `performance.now()`. */
let appliedAtMs = 0;
const DIRECTORY_AGAIN_MS = 10_000;
let again = 0;
let missing = false;

/**
 * @param {Inbox | null} inbox null: the one we have was confirmed
 * @param {number} startedAtMs when the question was asked, `performance.now()`
 * @returns {"kept" | "newer" | "reset"} reset: the server starts over with lower numbers, which only its own answer may say
 */
export function arrived(inbox, startedAtMs) {
  const current = get().inbox;
  if (!inbox) {
    set({ inboxAtMs: Date.now() });
    return "kept";
  }
  const older = current !== null && inbox.version < current.version;
  if (older && startedAtMs <= appliedAtMs) return "kept";
  take(inbox);
  void memory.set("inbox", { user: get().user, inbox });
  return older ? "reset" : "newer";
}

/** An inbox that another tab read. @param {Inbox} inbox @param {boolean} reset */
export function overheard(inbox, reset) {
  const current = get().inbox;
  if (reset || !current || inbox.version > current.version) take(inbox);
  else set({ inboxAtMs: Date.now() });
}

/** @param {Inbox} inbox */
function take(inbox) {
  const before = get().inbox;
  appliedAtMs = performance.now();
  learnClock(inbox.now);
  set({ inbox, inboxAtMs: Date.now() });
  standIn();
  if (before) document.dispatchEvent(new CustomEvent("taskbell-news", { detail: news(before.states, inbox.states) }));
  void closeSettled(inbox.states);
  const { directory } = get();
  if (directory && inbox.states.some((entry) => !directory.contacts.some(({ id }) => id === entry.contact_id)))
    void readDirectory();
}

/** Reads the contacts and agents again and keeps them. Where that fails, those of the inbox stand in, and it is tried again. */
export async function readDirectory() {
  clearTimeout(again);
  try {
    const directory = await api.directory();
    set({ directory });
    void memory.set("directory", { user: get().user, directory });
  } catch {
    missing = true;
    standIn();
    again = setTimeout(readDirectory, DIRECTORY_AGAIN_MS);
  }
}

function standIn() {
  const { directory, inbox } = get();
  if (missing && !directory && inbox) set({ directory: directoryOf(inbox.states) });
}

/** What the inbox alone knows of contacts and agents. @param {ContactState[]} states @returns {Directory} */
function directoryOf(states) {
  const contacts = states.map(({ contact_id: id, contact_name: name }) => ({
    id,
    name: name ?? "",
    email: null,
    company: null,
  }));
  const agents = states
    .filter(({ agent_id: id }) => id)
    .map(({ agent_id: id, agent_name: name }) => ({ id, name: name ?? "", kind: "" }));
  const each = (/** @type {any[]} */ all) => [...new Map(all.map((one) => [one.id, one])).values()];
  return { contacts: each(contacts), agents: each(agents) };
}

/** What this browser knew when it was last here, for the same user. @param {string} user */
export async function recall(user) {
  const [known, contacts] = await Promise.all([memory.get("inbox"), memory.get("directory")]);
  if (contacts?.user === user && !get().directory) set({ directory: contacts.directory });
  if (known?.user === user && !get().inbox) set({ inbox: known.inbox });
}

/**
 * The contact was opened: its badges and notifications go, here at once and everywhere when the server has it.
 * @param {string} contact
 * @returns {Promise<boolean>} false: the server could not be told, so it stays unseen
 */
export async function markSeen(contact) {
  const { inbox } = get();
  const known = inbox?.states.some((entry) => entry.contact_id === contact && entry.unseen);
  if (inbox && known) {
    const states = inbox.states.map((entry) => (entry.contact_id === contact ? { ...entry, unseen: false } : entry));
    set({ inbox: { ...inbox, states, unseen: countUnseen(states) } });
    void closeSettled(states);
  }
  try {
    await api.seen(contact);
    return true;
  } catch {
    if (inbox && known && get().inbox?.version === inbox.version) set({ inbox });
    return false;
  }
}
