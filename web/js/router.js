// What the address says: the list, `/?contact=<id>`, or `/?settings`. The back button, deep links and reloads work.

import { get, set } from "./store.js";

/** Reads the address into the store, now and whenever the user goes back or forward. */
export function startRouter() {
  const read = () => {
    const query = new URLSearchParams(location.search);
    const contact = query.get("contact") ?? "";
    set({ place: { page: contact ? "contact" : query.has("settings") ? "settings" : "list", contact } });
  };
  addEventListener("popstate", read);
  read();
}

/** @param {"list" | "contact" | "settings"} page @param {string} [contact] */
export function go(page, contact = "") {
  const { place } = get();
  if (place.page === page && place.contact === contact) return;
  const address =
    page === "contact" ? `/?contact=${encodeURIComponent(contact)}` : page === "settings" ? "/?settings" : "/";
  // From one open thing to the next is one step away from the list, however many were looked at.
  if (place.page === "list") history.pushState({ ours: true }, "", address);
  else history.replaceState(history.state, "", address);
  set({ place: { page, contact } });
}

/** Closes what is open: back to where we came from, or to the list if this was the entrance. */
export function close() {
  if (get().place.page === "list") return;
  if (history.state?.ours) history.back();
  else go("list");
}
