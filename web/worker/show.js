// A push arrives: something is always shown. The newest event of a tag wins however pushes overtake each other;
// an event that comes twice replaces itself without a sound. Needs payload.js, receipts.js, memory.js.

const SHOWN_MS = 5_000; // with a page of ours in view
const TAGS_KEPT = 400;
/** Pushes are shown one after the other, so that a late older one cannot slip in front. */
let showing = Promise.resolve();

/** @param {PushEvent} event */
async function onPush(event) {
  const note = readPayload(rawOf(event), (await memory.get("language")) ?? navigator.language);
  /** @type {WorkerMessage} */
  const news = { type: "push", contact: note.data.contact_id, event: note.data.event_id, kind: note.data.kind };
  const told = tellPages(news);
  const shown = showing.then(() => showNewest(note));
  showing = shown.then(
    () => {},
    () => {},
  );
  await Promise.allSettled([shown, told, showBadge(note.badge)]);
  await Promise.allSettled([
    receipt(note.data.receipt, "shown"),
    shown.then((visible) => closeSoon(visible)),
    tidy(note.data.contact_id),
  ]);
}

/** Safari hands a declarative message over as a proposed notification. @param {PushEvent} event */
function rawOf(event) {
  try {
    if (event.data) return event.data.text();
  } catch {} // cannot be decoded
  const proposed = /** @type {any} */ (event).notification;
  if (!proposed) return null;
  const { title, body, tag, lang, data, navigate } = proposed;
  return JSON.stringify({
    notification: { title, body, tag, lang, data, navigate },
    app_badge: /** @type {any} */ (event).appBadge,
  });
}

/**
 * @param {Note} note
 * @returns {Promise<Note>} the one that is shown: this one, or a newer one of its tag
 */
async function showNewest(note) {
  const { newest, fresh } = await remember(note).catch(() => ({ newest: note, fresh: true }));
  const registration = scope.registration;
  try {
    await registration.showNotification(newest.title, /** @type {NotificationOptions} */ (optionsOf(newest, !fresh)));
  } catch {
    // An option this browser refuses must not cost the message.
    await registration.showNotification(newest.title, { body: newest.body, tag: newest.tag, data: newest.data });
  }
  return newest;
}

/**
 * Keeps the newest note of each tag; reading and writing are one transaction.
 * @param {Note} note
 * @returns {Promise<{newest: Note, fresh: boolean}>} fresh: it has not been shown before and nothing newer has
 */
async function remember(note) {
  const event = note.data.event_id;
  if (!note.tag || event === null) return { newest: note, fresh: true };
  const kept = await memory.run("tags", "readwrite", (store, give) => {
    const request = store.get(note.tag);
    request.onsuccess = () => {
      /** @type {{note: Note, at: number} | undefined} */
      const known = request.result;
      const knownEvent = known?.note.data.event_id ?? 0;
      if (known && knownEvent >= event) return give({ newest: known.note, fresh: false });
      store.put({ note, at: Date.now() }, note.tag);
      give({ newest: note, fresh: true });
    };
    const counted = store.count();
    counted.onsuccess = () => {
      if (counted.result > TAGS_KEPT) forgetOld(store);
    };
  });
  return kept ?? { newest: note, fresh: true };
}

/** @param {IDBObjectStore} store */
function forgetOld(store) {
  const before = Date.now() - 30 * 86_400_000;
  const walk = store.openCursor();
  walk.onsuccess = () => {
    if (!walk.result) return;
    if (!(walk.result.value.at > before)) walk.result.delete();
    walk.result.continue();
  };
}

/** With a page in view the notification has said enough after a moment, unless it is a failure. @param {Note} note */
async function closeSoon(note) {
  if (note.data.sticky || note.data.kind === "failed" || !(await visiblePage())) return;
  await new Promise((resolve) => setTimeout(resolve, SHOWN_MS));
  const notes = await scope.registration.getNotifications(note.tag ? { tag: note.tag } : {});
  for (const shown of notes)
    if (shown.data?.event_id === note.data.event_id && shown.data?.receipt === note.data.receipt) shown.close();
}

/** @returns {Promise<readonly WindowClient[]>} */
const pages = () => scope.clients.matchAll({ type: "window", includeUncontrolled: true });
const visiblePage = async () => (await pages()).some((page) => page.visibilityState === "visible");

/** @param {WorkerMessage} message */
async function tellPages(message) {
  for (const page of await pages()) page.postMessage(message);
}

/** @param {number | null} count */
async function showBadge(count) {
  if (count === null) return;
  await (count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.());
}

/**
 * What has been seen elsewhere goes with the next push: no push is ever sent only to clear.
 * @param {string | null} except the contact that just rang
 */
async function tidy(except) {
  const shown = await scope.registration.getNotifications();
  const others = shown.filter(
    ({ data }) => data?.contact_id && data.contact_id !== except && data.kind !== "followup_due",
  );
  if (!others.length) return;
  /** @type {Inbox} */
  const inbox = await (await apiCall("GET", "/v1/inbox")).json();
  for (const note of others) {
    const states = inbox.states.filter((entry) => entry.contact_id === note.data.contact_id);
    if (
      states.length &&
      !states.some((entry) => entry.unseen) &&
      states.some((entry) => entry.event_id >= note.data.event_id)
    )
      note.close();
  }
}
