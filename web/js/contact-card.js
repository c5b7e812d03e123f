// <contact-card contact-id="…">: one contact as a link with a badge for each agent that works or has news.
//
// Attributes: contact-id (required); selected (the contact is open).
// Events, bubbling: "contact-open" with detail {contactId}; prevent it, or the link, to go elsewhere.
// It shows what the store knows; elements.js brings all that it needs to any app. Every card hears of every inbox, and
// builds itself anew only when what it shows has changed.

import { badgesOf, lastEnd, nextFadeMs, partOf } from "./badges.js";
import { h, icon, patch } from "./dom.js";
import { ago, say } from "./language.js";
import { agentOf, contactOf, nowMs, statesOf, watch } from "./store.js";

const STALE_MS = 30_000; // how long "3 min ago" may stand

export class ContactCard extends HTMLElement {
  static observedAttributes = ["contact-id", "selected"];
  /** @type {(() => void) | null} */
  #unwatch = null;
  #timer = 0;
  /** What it shows, as one line. */
  #looks = "";

  connectedCallback() {
    this.#unwatch ??= watch(["directory", "inbox"], () => this.render());
    this.addEventListener("click", this.#open);
  }

  disconnectedCallback() {
    this.#unwatch?.();
    this.#unwatch = null;
    clearTimeout(this.#timer);
    this.removeEventListener("click", this.#open);
  }

  attributeChangedCallback() {
    if (this.#unwatch) this.render();
  }

  get contactId() {
    return this.getAttribute("contact-id") ?? "";
  }

  /** @param {MouseEvent} event */
  #open = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return; // a new tab, as with any link
    const opened = new CustomEvent("contact-open", {
      bubbles: true,
      cancelable: true,
      detail: { contactId: this.contactId },
    });
    if (!this.dispatchEvent(opened)) event.preventDefault();
  };

  render() {
    const states = statesOf(this.contactId);
    const contact = contactOf(this.contactId);
    const name = contact?.name || states[0]?.contact_name || say("no_name");
    const badges = badgesOf(states, nowMs());
    const more = [contact?.company, lastly(states)].filter(Boolean).join(" · ");
    const selected = this.hasAttribute("selected");
    const unseen = partOf(states) === "attention";
    this.#renderAgain(states);
    const looks = JSON.stringify([this.contactId, name, more, selected, unseen, badges]);
    if (looks === this.#looks && this.firstChild) return;
    this.#looks = looks;
    const link = h(
      "a",
      {
        class: "card",
        href: `/?contact=${encodeURIComponent(this.contactId)}`,
        "aria-current": selected ? "true" : null,
        "data-testid": "card",
        "data-unseen": unseen,
      },
      h("span", { class: "avatar", "aria-hidden": "true", text: initials(name) }),
      h(
        "span",
        { class: "card-text" },
        h("span", { class: "card-name", dir: "auto", text: name }),
        h("span", { class: "card-more", text: more }),
        badges.length ? h("span", { class: "badges" }, ...badges.map(badgeOf)) : null,
      ),
    );
    patch(this, [link]);
  }

  /** A highlight fades and "just now" grows old without any news. @param {readonly ContactState[]} states */
  #renderAgain(states) {
    clearTimeout(this.#timer);
    const soon = Math.min(nextFadeMs(states, nowMs()), lastEnd(states) ? STALE_MS : Infinity);
    if (soon < Infinity) this.#timer = setTimeout(() => this.render(), Math.min(soon + 50, 2 ** 31 - 1));
  }
}

/** @param {import("./badges.js").Badge} badge @returns {HTMLElement} */
export function badgeOf(badge) {
  return h(
    "span",
    {
      class: "badge",
      "data-key": badge.agentId,
      "data-testid": "badge",
      "data-agent-id": badge.agentId,
      "data-status": badge.status,
      "data-fresh": badge.status === "draft_ready" ? String(badge.fresh) : null,
      title: badge.reason,
    },
    icon(badge.status),
    h("span", { class: "badge-status", text: say(badge.phrase) }),
    " ",
    badge.agentName ? h("span", { class: "badge-agent", text: badge.agentName }) : null,
  );
}

/** "Outreach: draft 3 min ago". @param {readonly ContactState[]} states */
function lastly(states) {
  const last = lastEnd(states);
  if (!last) return "";
  const agent = last.agent_name || agentOf(last.agent_id)?.name || say("an_agent");
  const phrase = /** @type {"last_draft_ready" | "last_completed" | "last_failed"} */ (`last_${last.status}`);
  return say(phrase, { agent, when: ago(last.ready_at ?? last.changed_at, nowMs()) });
}

/** @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : ""].map((word) => [...word][0] ?? "");
  return letters.join("").toLocaleUpperCase();
}

if (!customElements.get("contact-card")) customElements.define("contact-card", ContactCard);
