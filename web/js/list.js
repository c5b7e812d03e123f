// The list of contact cards: what has news first, then what is worked on, then the others.

import "./contact-card.js";
import { listOrder } from "./contact-card.js";
import { find, h, patch } from "./dom.js";
import { say } from "./language.js";
import { get, watch } from "./store.js";

/** Shows the list and keeps it right. */
export function startList() {
  watch(["directory", "inbox", "place"], render);
}

/** Draws the list anew, in the language spoken now. */
export function render() {
  const list = find("#list");
  const { directory, inbox, place } = get();
  if (!directory || !inbox) return patch(list, [h("p", { class: "quiet loading", text: say("loading") })]);
  document.documentElement.dataset.ready = "true";
  const before = positions(list);
  const focused = document.activeElement?.closest("contact-card")?.getAttribute("contact-id");
  const sections = listOrder().map(({ part, ids }) =>
    h(
      "section",
      { class: "group", "data-key": part, "data-testid": `group-${part}`, "aria-labelledby": `part-${part}` },
      h("h2", { id: `part-${part}`, text: say(part) }),
      h(
        "ul",
        {},
        ...ids.map((id) =>
          h("li", { "data-key": id }, h("contact-card", { "contact-id": id, selected: place.contact === id })),
        ),
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
  if (!before.size || document.hidden || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  // All are measured before the first one moves: each look after a move lays the page out anew.
  const after = positions(list);
  for (const card of list.querySelectorAll("contact-card")) {
    const id = card.getAttribute("contact-id");
    const moved = (before.get(id) ?? after.get(id) ?? 0) - (after.get(id) ?? 0);
    if (moved)
      card.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], {
        duration: 240,
        easing: "ease-out",
      });
  }
}
