// The line that says how this browser gets its updates ("Push on · live"), the button that turns push on,
// and what to do where it cannot be. Below it, whatever is in the way of fresh data.
//
// Tests may rely on: [data-testid=status-line] with data-push and data-updates; [data-testid=notify|how-to|settings];
// [data-testid=push-help]; [data-testid=trouble] with data-reason.

import { ApiError } from "./api.js";
import { find, h, icon, onAction, patch } from "./dom.js";
import { clock, say } from "./language.js";
import { toast } from "./announce.js";
import { turnOn } from "./push.js";
import { go } from "./router.js";
import { get, watch } from "./store.js";

/** States of push that need a word of explanation, in push-help.js. */
const HELP = /** @type {const} */ (["denied", "install", "unsupported", "unreachable", "broken"]);
/** @type {typeof import("./push-help.js") | null} */
let words = null;
let helping = false;
let dismissed = false;
let ticking = 0;

export function startStatusLine() {
  onAction(find("#foot"), (action) => {
    if (action === "notify") void notify();
    if (action === "settings") go("settings");
    if (action === "help") void help(!helping);
  });
  onAction(find("#trouble"), (action) => {
    if (action === "try") document.dispatchEvent(new CustomEvent("taskbell-try"));
    dismissed ||= action === "dismiss";
    renderTrouble();
  });
  addEventListener("taskbell-memory", renderTrouble);
  watch(["push", "updates", "inbox", "inboxAtMs"], () => {
    renderStatus();
    clearInterval(ticking);
    if (get().updates.state === "offline") ticking = setInterval(renderTrouble, 1000);
  });
}

/** @param {boolean} wanted */
async function help(wanted) {
  helping = wanted;
  if (wanted) words ??= await import("./push-help.js").catch(() => (toast(say("trouble_part")), null));
  renderStatus();
}

async function notify() {
  try {
    await turnOn();
    await help(true); // if it could not be, say at once what to do
  } catch (error) {
    await help(true);
    if (words) toast(say(words.refusedHelp(error instanceof ApiError ? error.reason : "")));
  }
}

export function renderStatus() {
  const { push, updates } = get();
  const obstacle = HELP.find((state) => state === push);
  const again = push === "unreachable" || push === "broken";
  const offer = push === "off" || push === "subscribing" || again;
  const helps = helping && words !== null;
  patch(find("#foot"), [
    obstacle && helps && words?.pushHelp(obstacle),
    h(
      "div",
      { class: "status", "data-key": "status" },
      h(
        "p",
        { class: "how", "data-testid": "status-line", "data-push": push, "data-updates": updates.state },
        h("span", { class: "lamp", "aria-hidden": "true" }),
        h("span", { text: `${say(`push_${push}`)} · ${say(updates.state, { n: updates.everySeconds })}` }),
      ),
      obstacle &&
        h("button", {
          class: "link",
          type: "button",
          "data-key": "help",
          "data-action": "help",
          "data-testid": "how-to",
          "aria-expanded": String(helps),
          "aria-controls": helps && "push-help",
          text: say(helps ? "hide_help" : "how_to"),
        }),
      offer &&
        h(
          "button",
          {
            class: "main",
            type: "button",
            "data-key": "notify",
            "data-action": "notify",
            "data-testid": "notify",
            disabled: push === "subscribing",
          },
          icon("bell"),
          say(again ? "notify_again" : "notify"),
        ),
      h(
        "button",
        {
          class: "round",
          type: "button",
          "data-key": "settings",
          "data-action": "settings",
          "data-testid": "settings",
          "aria-label": say("settings"),
          title: say("settings"),
        },
        icon("settings"),
      ),
    ),
  ]);
  renderTrouble();
}

function renderTrouble() {
  const { updates, inboxAtMs, inbox } = get();
  const kept = memory.trouble;
  const offline = updates.state === "offline";
  const box = (/** @type {string} */ reason, /** @type {string} */ text, /** @type {Node} */ more) =>
    h(
      "div",
      { class: "trouble", "data-key": reason, "data-testid": "trouble", "data-reason": reason, role: "status" },
      h("p", { text }),
      more,
    );
  const left = Math.ceil(((updates.retryAtMs ?? 0) - Date.now()) / 1000);
  const since = inboxAtMs || (inbox ? Date.parse(inbox.now) : 0);
  const server = left > 0 ? say("trouble_server", { n: left }) : say("trouble_now");
  const again = h("button", {
    class: "small",
    type: "button",
    "data-action": "try",
    "data-testid": "try-now",
    text: say("try_now"),
  });
  const close = h(
    "button",
    { class: "round", type: "button", "data-action": "dismiss", "aria-label": say("hide_help") },
    icon("close"),
  );
  const away = updates.reason === "offline";
  patch(find("#trouble"), [
    offline && away && box("offline", say("trouble_offline", { when: since ? clock(since) : "–" }), again),
    offline && !away && box("server", server, again),
    kept && !dismissed && box("storage", say(`trouble_storage_${kept}`), close),
  ]);
}
