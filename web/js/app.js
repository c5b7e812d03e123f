// The page: puts list, side panel and status line together and starts the connection.
//
// What tests may rely on beside the hooks named in status-line.js, contact-card.js and contact-parts.js:
// html[data-ready] once the list is shown; #app[data-place=list|contact|settings|sign-in].

import { startAnnouncing, toast } from "./announce.js";
import { connect, refresh } from "./connection.js";
import { find, h, patch, style } from "./dom.js";
import { say, spoken } from "./language.js";
import { startList } from "./list.js";
import { checkPush, worker } from "./push.js";
import { close, go, startRouter } from "./router.js";
import { startStatusLine } from "./status-line.js";
import { get, set, watch } from "./store.js";

const app = find("#app");
const side = find("#side");
/** @type {HTMLElement | null} */
let cameFrom = null;
const LEAVING_MS = 10_000; // whoever is still here after that has stayed after all

/** What the first view does not need is loaded when it is opened. */
const VIEWS = {
  contact: () => import("./contact-view.js"),
  settings: async () => (await import("./settings.js")).settingsView,
  "sign-in": async () => (await import("./sign-in.js")).signInView,
};
const dressed = () => [style("/css/view.css"), style("/css/forms.css")];

/** Shows in the side panel what the address says: a contact, the settings, or nothing yet. */
async function showPlace() {
  const { place, signedOut } = get();
  const page = signedOut ? "sign-in" : place.page;
  const moved = app.dataset.place !== page || side.dataset.contact !== place.contact;
  if (!moved) return;
  if (app.dataset.place === "list")
    cameFrom = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  const wasOpen = side.dataset.contact ?? "";
  app.dataset.place = page;
  side.dataset.contact = place.contact;
  if (page === "contact") {
    const waiting = h("p", { class: "quiet loading", text: say("loading") });
    patch(side, [h("contact-view", { "contact-id": place.contact, "data-key": "contact" }, waiting)]);
    await Promise.all([VIEWS[page](), ...dressed()]); // the element comes alive
    if (get().place !== place) return;
  } else if (page !== "list") {
    const [view] = await Promise.all([VIEWS[page](), ...dressed()]);
    if (app.dataset.place !== page) return;
    side.replaceChildren(view());
  } else {
    side.replaceChildren(h("p", { class: "quiet hint", text: say("choose_contact") }));
    // A card that moved to another part of the list meanwhile is a new one.
    const card = document.querySelector(`contact-card[contact-id="${CSS.escape(wasOpen)}"] a`);
    const back = cameFrom?.isConnected ? cameFrom : card;
    if (back instanceof HTMLElement) back.focus({ preventScroll: true });
    return;
  }
  if (document.activeElement !== document.body || page !== "contact")
    side.querySelector("h2")?.focus({ preventScroll: true });
  side.scrollTop = 0;
}

/** A view that cannot be loaded says so, and where to go from there. @param {unknown} wanted the place it was for */
function showLack(wanted) {
  if (get().place !== wanted) return;
  const link = (/** @type {string} */ href, /** @type {string} */ text) => h("p", {}, h("a", { href, text }));
  const again = link(location.href, say("notify_again"));
  side.replaceChildren(
    h("div", { class: "empty" }, h("p", { text: say("trouble_part") }), again, link("/", say("back"))),
  );
}

document.addEventListener("contact-open", (event) => {
  event.preventDefault();
  go("contact", /** @type {CustomEvent} */ (event).detail.contactId);
});
for (const type of ["contact-close", "settings-close"]) document.addEventListener(type, close);
document.addEventListener("trouble", (event) => toast(/** @type {CustomEvent} */ (event).detail.message));
document.addEventListener("task-assigned", (event) =>
  toast(say("assigned", { agent: /** @type {CustomEvent} */ (event).detail.agent })),
);
document.addEventListener(
  "keydown",
  ({ key, defaultPrevented }) => void (key === "Escape" && !defaultPrevented && close()),
);

let leftAtMs = -Infinity;
addEventListener("beforeunload", () => void (leftAtMs = performance.now()));

navigator.serviceWorker?.addEventListener("message", ({ data, ports }) => {
  const message = /** @type {WorkerMessage} */ (data);
  if (message.type === "push") {
    refresh();
    document.dispatchEvent(new CustomEvent("taskbell-rang", { detail: message }));
  }
  if (message.type === "show") {
    const stays = performance.now() - leftAtMs > LEAVING_MS;
    ports[0]?.postMessage(stays);
    if (!stays) return; // the worker opens another window
    refresh();
    if (message.contact) go("contact", message.contact);
    else close();
  }
  if (message.type === "subscription") void checkPush();
});

/** A session that a mailed link brought leaves the address at once. */
async function takeLink() {
  if (!location.hash.includes("access_token=")) return;
  const { hash } = location;
  history.replaceState(null, "", location.pathname + location.search);
  await (await import("./signing.js")).takeLink(hash);
}

async function start() {
  find("#skip").textContent = say("skip_to_list");
  startRouter();
  startList();
  startStatusLine();
  startAnnouncing();
  watch(["place", "signedOut"], () => {
    const { place } = get();
    void showPlace().catch(() => showLack(place));
  });
  if ("serviceWorker" in navigator) worker().catch(() => set({ push: "broken" }));
  navigator.serviceWorker?.startMessages();
  void memory.set("language", spoken()); // for the worker
  await takeLink();
  await connect();
  if (get().signedOut) return;
  await checkPush();
  navigator.serviceWorker?.controller?.postMessage({ type: "flush" });
  // The user allows or blocks notifications in the browser's own settings: notice.
  const permission = await navigator.permissions?.query({ name: "notifications" }).catch(() => null);
  permission?.addEventListener("change", () => void checkPush());
}

void start();
