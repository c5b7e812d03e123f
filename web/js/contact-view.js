// <contact-view contact-id="…">: one contact with tasks, drafts, follow-ups and activity, and what can be done.
//
// Attributes: contact-id (required); changing it shows another contact.
// Events, bubbling: "contact-close"; "contact-seen" {contactId}; "task-assigned" {contactId, agentId, taskId, agent},
// the last one its name; "task-retried" {taskId}; "draft-reviewed" {draftId, status}; "trouble" {message}, a sentence.
// elements.js brings all that it needs to any app.

import "./texts.more.js";
import { ApiError, api } from "./api.js";
import { badgesOf } from "./badges.js";
import { refresh, touched } from "./connection.js";
import { badgeOf } from "./contact-card.js";
import { draftsPart } from "./contact-drafts.js";
import { activityPart, assignPart, contactHead, followupsPart, tasksPart } from "./contact-parts.js";
import { h, onAction, patch } from "./dom.js";
import { markSeen } from "./inbox.js";
import { elapsed, say } from "./language.js";
import { closeFor } from "./notes.js";
import { ensurePreferences, toggleMuted } from "./preferences.js";
import { agentOf, contactOf, get, nowMs, statesOf, watch } from "./store.js";

const LOOK_AGAIN_MS = 60_000; // should no word of a change have come

export class ContactView extends HTMLElement {
  static observedAttributes = ["contact-id"];
  /** @type {ContactDetails | null} */ #details = null;
  /** @type {(() => void)[]} */ #leave = [];
  /** @type {AbortController | null} */ #reading = null;
  /** @type {Set<string>} */ #unfolded = new Set();
  /** @type {"" | "missing" | "away"} why there are no details: not there any more, or out of reach */ #lack = "";
  #version = -1;
  #justOpened = false;

  constructor() {
    super();
    onAction(this, (action, target) => void this.#act(action, target));
    this.addEventListener("submit", (event) => void this.#assign(event));
    // News that come while the contact is open count as seen when somebody is there: a click, a key, a return.
    // Not at the pointer's going down: the badges go, and what was to be clicked would move away below it.
    for (const sign of ["click", "keydown"]) this.addEventListener(sign, () => void this.#attend());
  }

  connectedCallback() {
    const again = setInterval(() => document.hidden || this.load(), LOOK_AGAIN_MS);
    const clock = setInterval(() => this.#tick(), 1000);
    const onTouched = (/** @type {Event} */ event) => {
      const contact = /** @type {CustomEvent} */ (event).detail;
      if (!contact || contact === this.contactId) void this.load();
    };
    const attend = () => void this.#attend();
    document.addEventListener("taskbell-touched", onTouched);
    document.addEventListener("visibilitychange", attend);
    addEventListener("focus", attend);
    this.#leave.push(
      () => (clearInterval(again), clearInterval(clock)),
      () => document.removeEventListener("taskbell-touched", onTouched),
      () => document.removeEventListener("visibilitychange", attend),
      () => removeEventListener("focus", attend),
      watch(["user"], () => void (this.#reading ?? this.load())),
      watch(["inbox"], () => this.#onInbox()),
      watch(["directory", "preferences"], () => this.render()),
      watch(["inboxAtMs"], () => void (this.#lack === "away" && this.load())), // the server is back
    );
    void ensurePreferences();
  }

  disconnectedCallback() {
    for (const leave of this.#leave.splice(0)) leave();
    this.#reading?.abort();
  }

  attributeChangedCallback() {
    this.#details = null;
    this.#lack = "";
    this.#unfolded.clear();
    this.replaceChildren();
    this.#justOpened = true;
    void this.load();
  }

  get contactId() {
    return this.getAttribute("contact-id") ?? "";
  }

  /** Whoever opens a contact has seen it, also what the inbox here does not know yet. */
  async #attend() {
    const id = this.contactId;
    if (document.hidden || !this.isConnected || !this.#details) return;
    if (!this.#justOpened && !statesOf(id).some((entry) => entry.unseen)) return;
    this.#justOpened = false;
    void closeFor(id);
    if (await markSeen(id)) this.#tell("contact-seen", { contactId: id });
    else if (id === this.contactId) this.#justOpened = true; // not told: again at the next sign of life
  }

  #onInbox() {
    const version = get().inbox?.version ?? -1;
    if (version !== this.#version && this.#version !== -1) void this.load();
    this.#version = version;
    this.render();
  }

  /** Reads the contact again; what was known offline stands in until then. */
  async load() {
    const id = this.contactId;
    if (!id || !get().user) return; // what is kept, is kept for a user
    this.#reading?.abort();
    const reading = (this.#reading = new AbortController());
    const kept = (await memory.get("opened"))?.[get().user] ?? {};
    const stale = () => reading.signal.aborted || id !== this.contactId;
    if (stale()) return;
    if (!this.#details && kept[id]) this.#show(kept[id]);
    try {
      const details = await api.contact(id, reading.signal);
      if (stale()) return;
      this.#show(details);
      const others = Object.entries(kept).filter(([other]) => other !== id);
      void memory.set("opened", { [get().user]: Object.fromEntries([[id, details], ...others].slice(0, 20)) });
    } catch (error) {
      if (stale()) return;
      this.#lack = error instanceof ApiError && error.status === 404 ? "missing" : "away";
      this.render();
    }
  }

  /** @param {ContactDetails} details */
  #show(details) {
    this.#details = details;
    this.#lack = "";
    this.render();
    if (this.#justOpened) void this.#attend();
  }

  render() {
    const id = this.contactId;
    const details = this.#lack === "missing" ? null : this.#details;
    const contact = details?.contact ?? contactOf(id) ?? { id, name: "", email: null, company: null };
    const why = this.#lack
      ? /** @type {const} */ ({ missing: "trouble_unknown_contact", away: "trouble_not_kept" })[this.#lack]
      : "loading";
    const badges = badgesOf(statesOf(id), nowMs());
    patch(this, [
      contactHead(contact),
      badges.length > 0 && h("p", { class: "badges", "data-key": "badges" }, ...badges.map(badgeOf)),
      !details &&
        h("p", { class: "quiet loading", "data-key": "lack", "data-testid": this.#lack || "loading", text: say(why) }),
      details && draftsPart(details.drafts, this.#unfolded),
      details && tasksPart(details.tasks),
      details && assignPart(get().directory?.agents ?? []),
      details && followupsPart(details.followups),
      details && activityPart(details.activity),
    ]);
  }

  #tick() {
    if (document.hidden) return;
    for (const clock of this.querySelectorAll("[data-since]")) {
      const text = elapsed((nowMs() - Number(clock.getAttribute("data-since"))) / 1000);
      if (clock.textContent !== text) clock.textContent = text;
    }
  }

  /** @param {string} action @param {HTMLElement} target */
  async #act(action, target) {
    const id = target.dataset.id ?? "";
    if (action === "close") this.#tell("contact-close", {});
    if (action === "unfold") {
      this.#unfolded.add(id);
      this.render();
    }
    if (action === "mute") await this.#do(target, () => toggleMuted(this.contactId));
    if (action === "retry" && (await this.#do(target, () => api.retry(id)))) this.#tell("task-retried", { taskId: id });
    if (action === "approve" || action === "reject") {
      const status = action === "approve" ? "approved" : "rejected";
      if (await this.#do(target, () => api.review(id, status))) this.#tell("draft-reviewed", { draftId: id, status });
    }
  }

  /** @param {SubmitEvent} event */
  async #assign(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const answers = new FormData(form);
    const agentId = String(answers.get("agent") ?? "");
    const button = /** @type {HTMLElement} */ (form.querySelector("[type=submit]"));
    const given = await this.#do(button, () =>
      api.assign(this.contactId, agentId, String(answers.get("instructions") ?? "").trim()),
    );
    if (!given) return;
    form.querySelector("textarea")?.form?.reset();
    const chosen = form.querySelector(`[value="${CSS.escape(agentId)}"]`);
    if (chosen instanceof HTMLInputElement) chosen.checked = true;
    this.#tell("task-assigned", {
      contactId: this.contactId,
      agentId,
      taskId: given.task_id,
      agent: agentOf(agentId)?.name ?? "",
    });
  }

  /** Does something on the server, its button at rest meanwhile, and reads again. @param {HTMLElement} button @param {() => Promise<any>} work */
  async #do(button, work) {
    if (button.getAttribute("aria-busy")) return null;
    button.setAttribute("aria-busy", "true");
    try {
      const answer = (await work()) ?? true;
      touched(this.contactId);
      refresh();
      await this.load();
      return answer;
    } catch (error) {
      const gone = error instanceof ApiError && error.status === 404;
      this.#tell("trouble", { message: say(gone ? "trouble_unknown_contact" : "trouble_action") });
      return null;
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /** @param {string} type @param {object} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }
}

if (!customElements.get("contact-view")) customElements.define("contact-view", ContactView);
