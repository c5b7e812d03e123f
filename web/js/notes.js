// The notifications this browser shows, and the number on the app's icon, as the page may touch them.

/**
 * Closes notifications whose contact has been seen: here, in another tab, or on another device.
 * One about an event that the inbox does not know yet stays.
 * @param {ContactState[]} states
 */
export async function closeSettled(states) {
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  const notes = (await registration?.getNotifications?.().catch(() => [])) ?? [];
  for (const note of notes) {
    const { contact_id: contact, event_id: event, kind } = /** @type {NoteData} */ (note.data ?? {});
    if (!contact || !event || kind === "followup_due") continue;
    const ours = states.filter((entry) => entry.contact_id === contact);
    if (ours.length && !ours.some((entry) => entry.unseen) && ours.some((entry) => entry.event_id >= event))
      note.close();
  }
}

/** The contact is open: none of its notifications is needed, whatever they are about. @param {string} contact */
export async function closeFor(contact) {
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  const notes = (await registration?.getNotifications?.().catch(() => [])) ?? [];
  for (const note of notes) if (note.data?.contact_id === contact) note.close();
}

/** @param {number} count contacts with something unseen */
export function showAppBadge(count) {
  const done = count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.();
  done?.catch(() => {}); // not installed, or not allowed
}
