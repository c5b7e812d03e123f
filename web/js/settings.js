// The settings panel: your browsers, what rings, when it is quiet, the language. Each change is kept at once.

import "./texts.more.js";
import { toast } from "./announce.js";
import { serverConfig, startOver } from "./connection.js";
import { browsersPart } from "./browsers-list.js";
import { h, icon, patch } from "./dom.js";
import { LANGUAGES, say, speak, spoken } from "./language.js";
import {
  allKept,
  changePreferences,
  ensurePreferences,
  readPreferences,
  toggleMuted,
  unreadable,
} from "./preferences.js";
import { turnOff } from "./subscribing.js";
import { close } from "./router.js";
import { signOut as endSession } from "./signing.js";
import { contactOf, get, watch } from "./store.js";

const KINDS = /** @type {const} */ (["draft_ready", "failed", "completed", "followup_due"]);

/** @returns {HTMLElement} stops watching when it leaves the page */
export function settingsView() {
  const form = h("form", { "data-testid": "preferences" });
  const foot = h("p", { class: "actions" });
  const back = h(
    "button",
    { class: "back", type: "button", "data-testid": "close", "aria-label": say("back") },
    icon("back"),
    icon("close"),
    h("span", { text: say("back") }),
  );
  const view = h(
    "section",
    { class: "settings", "data-testid": "settings-view" },
    h(
      "header",
      { class: "view-head" },
      back,
      h("div", { class: "view-title" }, h("h2", { tabindex: -1, text: say("settings") })),
      h("p", { class: "saved", role: "status", "data-testid": "saved" }),
    ),
    browsersPart(),
    form,
    foot,
  );
  back.addEventListener("click", close);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => void onChange(view, /** @type {HTMLInputElement} */ (event.target)));
  form.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-unmute]") : null;
    if (button) void keep(view, () => toggleMuted(button.getAttribute("data-unmute") ?? ""));
  });
  foot.addEventListener("click", () => void signOut());
  let heardAtMs = get().inboxAtMs;
  const unwait = watch(["inboxAtMs"], () => {
    if (heardAtMs === get().inboxAtMs) return;
    heardAtMs = get().inboxAtMs;
    if (!view.isConnected || get().preferences) unwait();
    else if (unreadable()) void ensurePreferences(); // the server is back
  });
  const unwatch = watch(["preferences", "directory", "user"], () => {
    if (!view.isConnected && form.childElementCount) return unwatch();
    patch(form, preferenceParts());
    settle(form);
    // The demo has nobody to sign out.
    const session = get().user && !serverConfig().demo_token;
    patch(foot, [session && h("button", { type: "button", "data-testid": "sign-out", text: say("sign_out") })]);
  });
  void readPreferences(); // another browser may have changed them
  return view;
}

/** On a shared computer nothing of the one who leaves may ring. */
async function signOut() {
  await turnOff().catch(() => {});
  await endSession();
  startOver();
}

function preferenceParts() {
  const { preferences, directory } = get();
  if (!preferences) return [h("p", { class: "quiet loading", text: say(unreadable() ? "no_settings" : "loading") })];
  const { kinds, agents, muted_contacts: muted, quiet_hours: quiet } = preferences;
  return [
    part(
      say("what"),
      ...KINDS.map((kind) => check(`kind:${kind}`, say(`kind_${kind}`), kinds[kind])),
      check("digest", say("digest"), preferences.digest),
    ),
    directory?.agents.length
      ? part(
          say("which_agents"),
          ...directory.agents.map(({ id, name }) => check(`agent:${id}`, name, agents[id] !== false)),
        )
      : null,
    part(
      say("quiet"),
      check("quiet", say("quiet_on"), quiet !== null, say("quiet_more")),
      quiet && h("div", { class: "pair", "data-key": "quiet" }, time("from", quiet.from), time("until", quiet.until)),
      quiet && choice("time_zone", say("time_zone"), zones(preferences.time_zone), preferences.time_zone),
    ),
    muted.length
      ? part(
          say("muted_contacts"),
          h(
            "ul",
            { class: "rows" },
            ...muted.map((id) =>
              h(
                "li",
                { class: "row", "data-key": id },
                h("span", { class: "row-text", text: contactOf(id)?.name ?? id }),
                h("button", { class: "small", type: "button", "data-unmute": id, text: say("unmute") }),
              ),
            ),
          ),
        )
      : null,
    part(say("language"), choice("language", "", Object.entries(LANGUAGES), spoken(), say("language"))),
  ];
}

/** @param {string} title @param {...(Node | null | false)} content */
const part = (title, ...content) =>
  h("fieldset", { class: "part", "data-key": title }, h("legend", { text: title }), ...content);

/** @param {string} name @param {string} label @param {boolean} checked @param {string} [more] */
const check = (name, label, checked, more) =>
  h(
    "label",
    { class: "check", "data-key": name },
    h("span", {}, label, more ? h("small", { text: more }) : null),
    h("input", { type: "checkbox", role: "switch", name, checked }),
  );

/** @param {"from" | "until"} name @param {string} value */
const time = (name, value) =>
  h(
    "label",
    { class: "field" },
    h("span", { text: say(name) }),
    h("input", { type: "time", name, value: value.slice(0, 5), required: true }),
  );

/** @param {string} name @param {string} label @param {[string, string][]} options @param {string} value @param {string} [unseen] a label for those who do not see the heading above */
const choice = (name, label, options, value, unseen) =>
  h(
    "label",
    { class: "field", "data-key": name },
    label && h("span", { text: label }),
    h(
      "select",
      { name, "aria-label": unseen },
      ...options.map(([key, text]) => h("option", { value: key, selected: key === value, text })),
    ),
  );

/** @param {string} chosen @returns {[string, string][]} */
function zones(chosen) {
  const known = Intl.supportedValuesOf?.("timeZone") ?? [Intl.DateTimeFormat().resolvedOptions().timeZone];
  return [...new Set([chosen, "UTC", ...known])].map((zone) => [zone, zone.replace(/_/g, " ")]);
}

/**
 * A field that was touched does not heed its attributes any more: it is brought in step.
 * @param {HTMLElement} form
 * @param {Element | null} [except] what is being typed
 */
function settle(form, except = document.activeElement) {
  for (const field of form.querySelectorAll("input, select")) {
    if (field instanceof HTMLSelectElement)
      field.value = field.querySelector("[selected]")?.getAttribute("value") ?? "";
    else if (!(field instanceof HTMLInputElement)) continue;
    else if (field.type === "checkbox") field.checked = field.defaultChecked;
    else if (field !== except) field.value = field.defaultValue;
  }
}

/** @param {HTMLElement} view @param {HTMLInputElement} input */
async function onChange(view, { name, checked, value }) {
  const preferences = get().preferences;
  if (!preferences) return;
  const [topic, id] = name.split(/:(.*)/s);
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  /** @type {Record<string, () => PreferencesChange>} */
  const changes = {
    kind: () => ({ kinds: { [id]: checked } }),
    agent: () => ({ agents: { [id]: checked ? null : false } }),
    quiet: () =>
      checked ? { quiet_hours: { from: "22:00", until: "07:00" }, time_zone: here } : { quiet_hours: null },
    from: () => ({ quiet_hours: { from: value } }),
    until: () => ({ quiet_hours: { until: value } }),
    time_zone: () => ({ time_zone: value }),
    digest: () => ({ digest: checked }),
    language: () => ({ language: value }),
  };
  if (!changes[topic] || ((topic === "from" || topic === "until") && !value)) return;
  const kept = await keep(view, () => changePreferences(changes[topic]()));
  if (topic !== "language" || !kept) return;
  await allKept();
  speak(value);
  location.reload(); // every sentence on the page changes
}

/** @param {HTMLElement} view @param {() => Promise<void>} work @returns {Promise<boolean>} whether it was kept */
async function keep(view, work) {
  const saved = view.querySelector(".saved");
  try {
    await work();
    if (saved) saved.textContent = say("saved");
    setTimeout(() => saved && (saved.textContent = ""), 2500);
    return true;
  } catch {
    toast(say("trouble_action"));
    const form = view.querySelector("form");
    if (form) settle(form, null);
    return false;
  }
}
