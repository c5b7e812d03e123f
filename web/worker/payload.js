// Reads what a push brings into a note that can be shown. Pure; never throws: a push that cannot be read still rings.

const LONGEST_TEXT = 600; // characters of a text that is no JSON of ours

/**
 * Declarative Web Push, as the function sends it; else any JSON with a title; else plain text; else a general note.
 * @param {string | null} raw
 * @param {string} fallbackLang the user's language, if the push does not say
 * @returns {Note}
 */
function readPayload(raw, fallbackLang) {
  /** @type {any} */
  let json = null;
  try {
    json = JSON.parse(raw ?? "");
  } catch {} // not ours, or damaged
  const given = (json && typeof json === "object" && (json.notification ?? json)) || {};
  const lang = text(given.lang) || fallbackLang;
  const data = given.data && typeof given.data === "object" ? given.data : {};
  const title = text(given.title);
  const plain = json === null || typeof json !== "object" ? text(raw).slice(0, LONGEST_TEXT) : "";
  const eventId = Number(data.event_id);
  return {
    title: title || phrase(lang, "something_new"),
    body: title ? text(given.body) : plain || phrase(lang, "open_to_see"),
    tag: text(given.tag) || "taskbell", // what has no tag of its own replaces its like
    lang,
    silent: given.silent === true,
    badge: count(json?.app_badge ?? given.app_badge),
    data: {
      event_id: Number.isSafeInteger(eventId) && eventId > 0 ? eventId : null,
      kind: text(data.kind) || "unknown",
      task_id: text(data.task_id) || null,
      contact_id: text(data.contact_id) || null,
      agent_id: text(data.agent_id) || null,
      contact_name: text(data.contact_name) || null,
      agent_name: text(data.agent_name) || null,
      occurred_at: text(data.occurred_at) || null,
      receipt: text(data.receipt) || null,
      sticky: data.sticky === true,
      navigate: ownAddress(given.navigate ?? data.navigate),
      lang,
    },
  };
}

/** @param {unknown} value @returns {string} */
const text = (value) => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");

/** @param {unknown} value @returns {number | null} */
const count = (value) => (Number.isSafeInteger(Number(value ?? NaN)) && Number(value) >= 0 ? Number(value) : null);

/** An address of this page; anything else becomes its front door. @param {unknown} address @returns {string} absolute */
function ownAddress(address) {
  const door = `${self.location.origin}/`;
  try {
    const url = new URL(text(address), door);
    return url.origin === self.location.origin ? url.href : door;
  } catch {
    return door;
  }
}

/** @param {string} lang @param {Phrase} key @returns {string} */
function phrase(lang, key) {
  /** @type {Partial<Record<Phrase, unknown>>} */
  const spoken = lang.startsWith("de") ? texts.de : texts.en;
  return String(spoken[key]);
}

/** What the notification says, and how. @param {Note} note @param {boolean} quietly replaces without ringing again */
function optionsOf(note, quietly) {
  const { kind, sticky, occurred_at: at, contact_id: contact } = note.data;
  const actions = [{ action: "open", title: phrase(note.lang, "open") }];
  if (kind === "draft_ready" && contact) actions.push({ action: "approve", title: phrase(note.lang, "approve_draft") });
  const room = /** @type {{maxActions?: number}} */ (Notification).maxActions ?? 0;
  return {
    body: note.body,
    tag: note.tag,
    lang: note.lang,
    dir: /** @type {const} */ ("auto"),
    icon: "/icons/icon-192.png",
    badge: "/icons/badge-96.png",
    silent: note.silent || quietly,
    // The same tag with newer news rings again; without a tag it may not be asked for.
    renotify: note.tag !== "" && !note.silent && !quietly,
    requireInteraction: sticky === true || kind === "failed",
    timestamp: at ? Date.parse(at) || Date.now() : Date.now(),
    actions: room > 1 ? actions.slice(0, room) : [],
    data: note.data,
  };
}
