// The user's language: sentences from texts.js, numbers, dates and plurals from Intl.

import "./texts.js";

/** The languages there are, each under its own name. */
export const LANGUAGES = { en: "English", de: "Deutsch" };
const KEPT = "taskbell-language";

const language = chosen();
const GERMAN = "./texts.de.js"; // no module, so the type checker must not follow it
if (language === "de") await import(GERMAN).catch(() => {}); // better English than nothing
/** As this browser writes dates and numbers in that language: 14:45 in Britain, 2:45 PM in America. */
const locale = navigator.languages.find((tag) => tag.slice(0, 2).toLowerCase() === language) ?? language;
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(locale);
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
document.documentElement.lang = language;

/** @returns {"en" | "de"} what the user chose in this browser, else the browser's own, else English */
function chosen() {
  /** @type {string | null} */
  let kept = null;
  try {
    kept = localStorage.getItem(KEPT);
  } catch {} // storage forbidden
  for (const tag of [kept, ...navigator.languages]) {
    const known = tag?.slice(0, 2).toLowerCase();
    if (known === "en" || known === "de") return known;
  }
  return "en";
}

/** The language spoken now, "en" or "de". */
export const spoken = () => language;

/** Speaks another language from the next load on, in this browser. @param {string} tag */
export function speak(tag) {
  try {
    localStorage.setItem(KEPT, tag);
  } catch {} // storage forbidden: the browser's own language stays
}

/**
 * A sentence in the user's language.
 * @param {Phrase} phrase
 * @param {Record<string, string | number>} [values] what stands for `{…}`; `n` chooses the plural
 * @returns {string}
 */
export function say(phrase, values = {}) {
  const entry = /** @type {Record<string, any>} */ (texts[language])[phrase];
  const form = typeof entry === "string" ? entry : (entry[plurals.select(Number(values.n))] ?? entry.other);
  return form.replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ key) => {
    const value = values[key];
    return typeof value === "number" ? numbers.format(value) : (value ?? "");
  });
}

const STEPS = /** @type {const} */ ([
  ["minute", 60],
  ["hour", 3_600],
  ["day", 86_400],
]);

/** "3 min. ago", "tomorrow"; beyond a week the date. @param {string | number} moment @param {number} nowMs @returns {string} */
export function ago(moment, nowMs) {
  const seconds = (new Date(moment).getTime() - nowMs) / 1000;
  if (Number.isNaN(seconds)) return "";
  if (Math.abs(seconds) < 45) return relative.format(0, "second");
  if (Math.abs(seconds) > 6.5 * 86_400) return onDay(moment);
  const [unit, size] = STEPS.findLast(([, size]) => Math.abs(seconds) >= size * 0.95) ?? STEPS[0];
  return relative.format(Math.round(seconds / size), unit).replace(/ /g, "\u00a0"); // stays in one line
}

/** A day with its time. @param {string | number} moment */
export function onDay(moment) {
  return new Date(moment).toLocaleString(locale, {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** A time of today, or a day with its time. @param {number} momentMs */
export function clock(momentMs) {
  const moment = new Date(momentMs);
  if (moment.toDateString() !== new Date().toDateString()) return onDay(momentMs);
  return moment.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
}

/** Elapsed time as a clock shows it: 0:07, 12:30, 1:02:03. @param {number} seconds */
export function elapsed(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
}

/** "draft_created" → "Draft created": a word of the application's own that we hold no text for. @param {string} slug */
export function plainly(slug) {
  const words = slug.replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
