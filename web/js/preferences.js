// The user's preferences: read when first needed, changed piece by piece, the server's answer stands.

import { api } from "./api.js";
import { get, set } from "./store.js";

/** @type {Promise<void> | null} */
let reading = null;
let failed = false;

/** Whether the last attempt to read them failed. */
export const unreadable = () => failed;

/** Reads them unless they are known. Where that fails, what needs them is not shown. */
export function ensurePreferences() {
  if (get().preferences) return Promise.resolve();
  reading ??= api
    .preferences()
    .then((preferences) => ((failed = false), set({ preferences })))
    .catch(() => ((failed = true), set({ preferences: null })))
    .then(() => void (reading = null));
  return reading;
}

/** @param {Partial<Preferences>} change */
export async function changePreferences(change) {
  const before = get().preferences;
  if (!before) return;
  set({ preferences: { ...before, ...change } });
  try {
    set({ preferences: await api.setPreferences({ ...before, ...change }) });
  } catch (error) {
    set({ preferences: before });
    throw error;
  }
}

/** @param {string} contact */
export async function toggleMuted(contact) {
  const muted = get().preferences?.muted_contacts ?? [];
  const others = muted.filter((id) => id !== contact);
  await changePreferences({ muted_contacts: others.length < muted.length ? others : [...muted, contact] });
}
