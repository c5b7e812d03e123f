// The line that says how this browser gets its updates ("Push on · live"), the button that turns push on,
// and what to do where it cannot be. Below it, whatever is in the way of fresh data.
//
// Tests may rely on: [data-testid=status-line] with data-push and data-updates; [data-testid=notify|how-to|settings];
// [data-testid=push-help]; [data-testid=trouble] with data-reason.

import { ApiError } from "./api.js";
import { deniedHelp } from "./browser.js";
import { find, h, icon, onAction, patch } from "./dom.js";
import { clock, say } from "./language.js";
import { toast } from "./announce.js";
import { turnOn } from "./push.js";
import { go } from "./router.js";
import { get, watch } from "./store.js";

/** States of push that need a word of explanation. */
const HELP = /** @type {const} */ (["denied", "install", "unsupported", "unreachable"]);
let helping = false;
let ticking = 0;

export function startStatusLine() {
  onAction(find("#foot"), (action) => {
    if (action === "notify") void notify();
    if (action === "settings") go("settings");
    if (action === "help") helping = !helping;
    renderStatus();
  });
  onAction(find("#trouble"), () => document.dispatchEvent(new CustomEvent("taskbell-try")));
  watch(["push", "updates", "inbox", "inboxAtMs"], () => {
    renderStatus();
    clearInterval(ticking);
    if (get().updates.state === "offline") ticking = setInterval(renderTrouble, 1000);
  });
}

async function notify() {
  helping = true; // if it cannot be, say at once what to do
  try {
    await turnOn();
  } catch (error) {
    const reason = error instanceof ApiError ? error.reason : "";
    toast(
      say(
        reason === "too_many_subscriptions"
          ? "trouble_many"
          : reason === "endpoint_not_allowed"
            ? "trouble_endpoint"
            : "trouble_action",
      ),
    );
  }
}

export function renderStatus() {
  const { push, updates } = get();
  const help = HELP.find((state) => state === push);
  const offer = push === "off" || push === "unreachable" || push === "subscribing";
  patch(find("#foot"), [
    help &&
      helping &&
      h("div", { class: "help", id: "push-help", "data-key": "help", "data-testid": "push-help" }, ...helpFor(help)),
    h(
      "div",
      { class: "status", "data-key": "status" },
      h(
        "p",
        { class: "how", "data-testid": "status-line", "data-push": push, "data-updates": updates.state },
        h("span", { class: "lamp", "aria-hidden": "true" }),
        h("span", { text: `${say(`push_${push}`)} · ${say(updates.state, { n: updates.everySeconds })}` }),
      ),
      help &&
        h("button", {
          class: "link",
          type: "button",
          "data-key": "help",
          "data-action": "help",
          "data-testid": "how-to",
          "aria-expanded": String(helping),
          "aria-controls": "push-help",
          text: say(helping ? "hide_help" : "how_to"),
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
          say(push === "unreachable" ? "notify_again" : "notify"),
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

/** @param {typeof HELP[number]} state @returns {HTMLElement[]} */
function helpFor(state) {
  const more = state === "denied" ? deniedHelp() : /** @type {const} */ (`${state}_more`);
  const said = [h("h2", { text: say(`${state}_title`) }), h("p", { text: say(/** @type {"denied_other"} */ (more)) })];
  if (state !== "install") return said;
  const steps = /** @type {const} */ (["share", "add", "open"]);
  return [
    ...said,
    h(
      "ol",
      { class: "steps" },
      ...steps.map((step) => h("li", {}, icon(`install-${step}`), h("span", { text: say(`install_${step}`) }))),
    ),
  ];
}

function renderTrouble() {
  const { updates, inboxAtMs, inbox } = get();
  const kept = memory.trouble;
  const offline = updates.state === "offline";
  const box = (/** @type {string} */ reason, /** @type {string} */ text, /** @type {Node | false} */ more) =>
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
  const away = updates.reason === "offline";
  patch(find("#trouble"), [
    offline && away && box("offline", say("trouble_offline", { when: since ? clock(since) : "–" }), again),
    offline && !away && box("server", server, again),
    kept !== "" && box("storage", say(kept === "full" ? "trouble_storage_full" : "trouble_storage_forbidden"), false),
  ]);
}
