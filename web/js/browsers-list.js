// "Your browsers": each browser that is notified, with when it last rang; rename, remove, send a test.
// A test counts only when the worker confirms it: the push came through and was shown.

import { toast } from "./announce.js";
import { api } from "./api.js";
import { h, icon, onAction, patch } from "./dom.js";
import { ago, say } from "./language.js";
import { turnOff } from "./subscribing.js";
import { get, nowMs, watch } from "./store.js";

const CONFIRM_MS = 15_000;
const CONFIRM_EVERY_MS = 1_000;

/** @returns {HTMLElement} */
export function browsersPart() {
  /** @type {Subscription[] | null} */
  let known = null;
  /** @type {Phrase} what stands where no browser is shown */
  let lack = "loading";
  let editing = "";
  let removing = "";
  /** @type {Record<string, string>} what the last test of a browser said */
  const tested = {};
  const list = h("div", { class: "browsers" });
  const root = h("section", { class: "part", "data-testid": "browsers" }, h("h3", { text: say("browsers") }), list);

  async function load() {
    const told = await api.subscriptions().catch(() => null);
    known = told?.subscriptions ?? known;
    lack = known ? "no_browsers" : "no_settings";
    render();
  }

  function render() {
    const { subscriptionId } = get();
    const shown = (known ?? []).filter((entry) => !entry.retired_at || entry.id === subscriptionId);
    shown.sort((a, b) => Number(b.id === subscriptionId) - Number(a.id === subscriptionId));
    patch(list, [
      !shown.length && h("p", { class: "quiet", text: say(lack) }),
      h("ul", { class: "rows" }, ...shown.map((entry) => row(entry, entry.id === subscriptionId))),
    ]);
  }

  /** @param {Subscription} entry @param {boolean} here */
  function row(entry, here) {
    const { id, name } = entry;
    const button = (/** @type {string} */ action, /** @type {string} */ text) =>
      h("button", { class: "small", type: "button", "data-action": action, "data-id": id, "data-key": action, text });
    const rename = h(
      "form",
      { class: "rename", "data-id": id },
      h("input", { name: "name", value: name, maxlength: 80, required: true, "aria-label": say("new_name") }),
      h("button", { class: "small", type: "submit", text: say("save") }),
    );
    return h(
      "li",
      {
        class: "row browser",
        "data-key": id,
        "data-testid": "browser",
        "data-subscription-id": id,
        "data-here": String(here),
      },
      icon("device"),
      h(
        "div",
        { class: "row-text" },
        editing === id
          ? rename
          : h(
              "span",
              { class: "row-title", dir: "auto" },
              name,
              " ",
              here && h("span", { class: "chip", text: say("this_browser") }),
            ),
        h("span", {
          class: "row-more",
          role: tested[id] ? "status" : null,
          "data-testid": "health",
          text: tested[id] ?? health(entry),
        }),
        h(
          "p",
          { class: "actions" },
          button("test", say("test")),
          editing !== id && button("rename", say("rename")),
          button("remove", say(removeLabel(here, removing === id))),
        ),
      ),
    );
  }

  /** @param {string} id */
  async function test(id) {
    tested[id] = "…";
    render();
    const startedAt = nowMs() - 2000;
    const { outcome, reason, status_code } = await api.test(id);
    const taken = outcome === "accepted";
    tested[id] = taken ? say("test_sent") : say("test_failed", { reason: reason ?? String(status_code ?? outcome) });
    render();
    for (let waited = 0; taken && waited < CONFIRM_MS && root.isConnected; waited += CONFIRM_EVERY_MS) {
      await new Promise((resolve) => setTimeout(resolve, CONFIRM_EVERY_MS));
      await load();
      const verified = known?.find((entry) => entry.id === id)?.verified_at;
      if (verified && Date.parse(verified) >= startedAt) {
        tested[id] = say("test_seen");
        return render();
      }
    }
    if (taken) tested[id] = say("test_silent");
    render();
  }

  /** @param {string} id */
  async function remove(id) {
    if (removing !== id) return void (removing = id);
    removing = "";
    await (id === get().subscriptionId ? turnOff() : api.unsubscribe(id));
    await load();
  }

  onAction(root, (action, { dataset: { id = "" } }) => {
    /** @type {Record<string, () => unknown>} */
    const acts = { test: () => test(id), remove: () => remove(id), rename: () => (editing = id) };
    Promise.resolve(acts[action]?.()).then(render, () => {
      delete tested[id];
      render();
      toast(say("trouble_action"));
    });
    render();
    if (action === "rename") list.querySelector("input")?.select();
  });
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    editing = "";
    api
      .rename(form.dataset.id ?? "", String(new FormData(form).get("name")))
      .then(load, () => (render(), toast(say("trouble_action"))));
  });
  const unwatch = watch(["subscriptionId", "push"], () => void (root.isConnected || !known ? load() : unwatch()));
  let heardAtMs = get().inboxAtMs;
  const unwait = watch(["inboxAtMs"], () => {
    if (heardAtMs === get().inboxAtMs) return;
    heardAtMs = get().inboxAtMs;
    if (known || !root.isConnected) unwait();
    else if (lack === "no_settings") void load(); // the server is back
  });
  return root;
}

/** @param {Subscription} entry */
function health(entry) {
  if (entry.retired_at) return say("retired", { reason: entry.retired_reason ?? "" });
  const told = [entry.verified_at && say("verified", { when: ago(entry.verified_at, nowMs()) })];
  const rang = entry.last_shown_at ?? entry.last_accepted_at;
  told.push(rang ? say("last_rang", { when: ago(rang, nowMs()) }) : say("never_rang"));
  return told.filter(Boolean).join(" · ");
}

/** @param {boolean} here @param {boolean} sure asked once already @returns {Phrase} */
const removeLabel = (here, sure) => (here ? (sure ? "off_sure" : "turn_off") : sure ? "remove_sure" : "remove");
