// The user's preferences. Only what was changed is sent, one request at a time and in order; what is changed meanwhile
// goes with the next one. Shown is what the server last said with all that is still on its way to it.

import { api } from "./api.js";
import { get, set } from "./store.js";

/**
 * What a person changed: a patch, and contacts to mute (true) or to hear again (false).
 * @typedef {PreferencesChange & {mute?: Record<string, boolean>}} Wish
 */

/** @type {Preferences | null} what the server last said */
let stored = null;
/** @type {Wish | null} */
let sending = null;
/** @type {{wish: Wish, kept: Promise<void>} | null} */
let waiting = null;
/** One request after the other: an answer is never older than the one before. @type {Promise<unknown>} */
let line = Promise.resolve();
/** @type {Promise<void> | null} */
let reading = null;
let failed = false;

/** Whether the last attempt to read them failed. */
export const unreadable = () => failed;

/** Reads them; what was changed elsewhere shows. Where that fails, what is known stays. @returns {Promise<void>} */
export const readPreferences = () => inLine(read).catch(() => {});

/** Reads them unless they are known. Where that fails, what needs them is not shown. @returns {Promise<void>} */
export function ensurePreferences() {
  if (stored) return Promise.resolve();
  return (reading ??= readPreferences().finally(() => (reading = null)));
}

/**
 * Shows a change at once and sends it.
 * @param {Wish} wish
 * @returns {Promise<void>} once the server has it; rejects, and what was changed goes back, where that fails
 */
export function changePreferences(wish) {
  if (waiting) waiting.wish = /** @type {Wish} */ (merged(waiting.wish, wish, true));
  else waiting = { wish, kept: inLine(send) };
  show();
  return waiting.kept;
}

/** @param {string} contact */
export function toggleMuted(contact) {
  const muted = get().preferences?.muted_contacts.includes(contact) ?? false;
  return changePreferences({ mute: { [contact]: !muted } });
}

/** Resolves when nothing is on its way any more. */
export async function allKept() {
  for (let last = null; last !== line;) await (last = line);
}

/** Whoever leaves before the server has said that it has a change sends it along once more; it is the same twice. */
addEventListener("pagehide", () => {
  const { preferences } = get();
  if (!preferences || !(sending || waiting)) return;
  const { mute, ...change } = /** @type {Wish} */ (merged(sending ?? {}, waiting?.wish ?? {}, true));
  api.leavePreferences(mute ? { ...change, muted_contacts: preferences.muted_contacts } : change);
});

/** @param {() => Promise<void>} work */
function inLine(work) {
  const done = line.then(work);
  line = done.catch(() => {});
  return done;
}

async function read() {
  try {
    stored = await api.preferences();
    failed = false;
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    show();
  }
}

async function send() {
  const { mute, ...change } = (sending = waiting?.wish ?? {});
  waiting = null;
  try {
    // A list is replaced whole: it is put together from what the server has now.
    if (mute || !stored) stored = await api.preferences();
    if (mute) change.muted_contacts = wished(stored, { mute }).muted_contacts;
    stored = await api.changePreferences(change);
  } finally {
    sending = null;
    show();
  }
}

function show() {
  if (!stored) return set({ preferences: null });
  set({ preferences: wished(wished(stored, sending ?? {}), waiting?.wish ?? {}) });
}

/** @param {Preferences} preferences @param {Wish} wish @returns {Preferences} as they will be */
function wished(preferences, { mute, ...change }) {
  const result = /** @type {Preferences} */ (merged(preferences, change));
  result.quiet_hours ??= null;
  if (!mute) return result;
  const others = result.muted_contacts.filter((id) => !(id in mute));
  return { ...result, muted_contacts: [...others, ...Object.keys(mute).filter((id) => mute[id])] };
}

/**
 * JSON Merge Patch (RFC 7396).
 * @param {any} target
 * @param {any} patch
 * @param {boolean} [later] the target is a patch itself: what this one takes away, both do
 * @returns {any}
 */
function merged(target, patch, later = false) {
  const isObject = (/** @type {unknown} */ value) =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null && !later) delete result[key];
    else result[key] = merged(result[key], value, later);
  }
  return result;
}
