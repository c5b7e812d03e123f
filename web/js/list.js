// The list of contact cards: what has news first, then what is worked on, then the others.
// Cards show their news where they are, at once. They change places only when nobody is about to press one of them.

import "./contact-card.js";
import { partOf } from "./badges.js";
import { find, h, patch } from "./dom.js";
import { say, spoken } from "./language.js";
import { get, statesOf, watch } from "./store.js";

const GLIDE_MS = 240;
const CALM_MS = 1_000; // a hand that has been still for so long aims at nothing
const byName = new Intl.Collator(spoken());

/** The order that stands, as one line; "" before there is one. */
let drawn = "";
let again = 0;
let pressed = false;
let stirredAtMs = -Infinity;
/** When a card last changed its place. @type {WeakMap<Element, number>} */
const movedAtMs = new WeakMap();

/** Shows the list and keeps it right. */
export function startList() {
  watch(["directory", "inbox", "place"], render);
  const list = find("#list");
  const stirred = (/** @type {PointerEvent} */ { buttons }) => {
    pressed = buttons > 0;
    stirredAtMs = performance.now();
  };
  for (const type of /** @type {const} */ (["pointerdown", "pointermove"])) list.addEventListener(type, stirred);
  for (const type of /** @type {const} */ (["pointerup", "pointercancel"]))
    addEventListener(type, (event) => pressed && stirred(event));
  // Who presses a card that has just come along meant the one that was there before. (A key is no press: detail 0.)
  const missed = (/** @type {MouseEvent} */ event) => {
    const card = event.target instanceof Element ? event.target.closest("contact-card") : null;
    if (!event.detail || !card || performance.now() - (movedAtMs.get(card) ?? -Infinity) > GLIDE_MS) return;
    event.preventDefault();
    event.stopPropagation();
  };
  list.addEventListener("click", missed, { capture: true });
}

/** How long the cards still have to keep their places. @returns {number} ms */
const stillMs = () => (pressed ? CALM_MS : Math.max(0, stirredAtMs + CALM_MS - performance.now()));

function render() {
  const list = find("#list");
  const { directory, inbox, place } = get();
  if (!directory || !inbox) {
    drawn = "";
    return patch(list, [h("p", { class: "quiet loading", text: say("loading") })]);
  }
  document.documentElement.dataset.ready = "true";
  const parts = order(directory.contacts);
  const wanted = JSON.stringify(parts);
  clearTimeout(again);
  if (wanted !== drawn) {
    const waitMs = drawn && stillMs();
    if (waitMs) again = setTimeout(render, waitMs);
    else draw(list, parts, place.contact);
    if (!waitMs) drawn = wanted;
  }
  for (const card of list.querySelectorAll("contact-card"))
    card.toggleAttribute("selected", card.getAttribute("contact-id") === place.contact);
}

/** Contacts in the order of the list. @param {Contact[]} contacts @returns {[ReturnType<typeof partOf>, string[]][]} */
function order(contacts) {
  /** @type {Record<ReturnType<typeof partOf>, string[]>} */
  const parts = { attention: [], working: [], rest: [] };
  for (const { id } of alphabetical(contacts)) parts[partOf(statesOf(id))].push(id);
  const rows = /** @type {const} */ (["attention", "working", "rest"]).map((part) => [part, parts[part]]);
  return /** @type {[ReturnType<typeof partOf>, string[]][]} */ (rows.filter(([, ids]) => ids.length));
}

/** @type {Contact[]} */
let unsorted = [];
/** @type {Contact[]} */
let sorted = [];

/** @param {Contact[]} contacts */
function alphabetical(contacts) {
  if (contacts !== unsorted) sorted = [...contacts].sort((a, b) => byName.compare(a.name, b.name));
  unsorted = contacts;
  return sorted;
}

/** @param {HTMLElement} list @param {ReturnType<typeof order>} parts @param {string} open the contact that is open */
function draw(list, parts, open) {
  const before = positions(list);
  const focused = document.activeElement?.closest("contact-card")?.getAttribute("contact-id");
  const sections = parts.map(([part, ids]) =>
    h(
      "section",
      { class: "group", "data-key": part, "data-testid": `group-${part}`, "aria-labelledby": `part-${part}` },
      h("h2", { id: `part-${part}`, text: say(part) }),
      h(
        "ul",
        {},
        ...ids.map((id) => h("li", { "data-key": id }, h("contact-card", { "contact-id": id, selected: id === open }))),
      ),
    ),
  );
  const empty = h(
    "div",
    { class: "empty" },
    h("p", { text: say("no_contacts") }),
    h("p", { class: "quiet", text: say("no_contacts_more") }),
  );
  patch(list, sections.length ? sections : [empty]);
  // A card that moves to another part is made anew there; whoever was on it stays on it.
  if (focused && document.activeElement === document.body) {
    const link = list.querySelector(`contact-card[contact-id="${CSS.escape(focused)}"] a`);
    if (link instanceof HTMLElement) link.focus({ preventScroll: true });
  }
  glide(list, before);
}

/** @param {HTMLElement} list @returns {Map<string | null, number>} contact → distance from the top */
function positions(list) {
  const cards = [...list.querySelectorAll("contact-card")];
  return new Map(cards.map((card) => [card.getAttribute("contact-id"), card.getBoundingClientRect().top]));
}

/** A card that changes its place is seen to move. @param {HTMLElement} list @param {Map<string | null, number>} before */
function glide(list, before) {
  if (!before.size || document.hidden) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  // All are measured before the first one moves: each look after a move lays the page out anew.
  const after = positions(list);
  for (const card of list.querySelectorAll("contact-card")) {
    const id = card.getAttribute("contact-id");
    const moved = (before.get(id) ?? after.get(id) ?? 0) - (after.get(id) ?? 0);
    if (!moved) continue;
    movedAtMs.set(card, performance.now());
    if (still) continue;
    card.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], {
      duration: GLIDE_MS,
      easing: "ease-out",
    });
  }
}
