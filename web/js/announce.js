// What is said without being asked: badge changes to screen readers, the number in the title, short messages.

import { countUnseen } from "./badges.js";
import { find, h } from "./dom.js";
import { say } from "./language.js";
import { showAppBadge } from "./notes.js";
import { contactOf, get, watch } from "./store.js";

const AT_ONCE = 3; // more changes than this are told as a number
const TOAST_MS = 6_000;

/** Announces, counts and titles from now on. */
export function startAnnouncing() {
  document.addEventListener("taskbell-news", (event) =>
    announce(/** @type {CustomEvent<ContactState[]>} */ (event).detail),
  );
  watch(["inbox", "place", "directory"], () => {
    const { inbox, place } = get();
    if (!inbox) return;
    const n = countUnseen(inbox.states);
    const name =
      place.page === "contact" ? contactOf(place.contact)?.name : place.page === "settings" ? say("settings") : "";
    document.title = [n ? `(${n})` : "", [name, "Taskbell"].filter(Boolean).join(" · ")].filter(Boolean).join(" ");
    const count = find("#count");
    count.hidden = !n;
    count.textContent = String(n);
    count.setAttribute("aria-label", say("unseen_count", { n }));
    showAppBadge(n);
  });
}

/** @param {ContactState[]} states */
function announce(states) {
  if (!states.length) return;
  const told = states.map((entry) =>
    say(/** @type {"says_failed"} */ (`says_${entry.status}`), {
      agent: entry.agent_name || say("an_agent"),
      name: entry.contact_name || contactOf(entry.contact_id)?.name || say("no_name"),
    }),
  );
  const n = new Set(states.map((entry) => entry.contact_id)).size;
  find("#announcer").textContent = told.length > AT_ONCE ? say("unseen_count", { n }) : told.join(". ");
}

/** A message at the bottom that goes by itself. @param {string} text */
export function toast(text) {
  const note = h("p", { class: "toast", text });
  find("#toasts").replaceChildren(note);
  setTimeout(() => note.remove(), TOAST_MS);
}
