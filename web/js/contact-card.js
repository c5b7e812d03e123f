// <contact-card contact-id="…">: one contact as a link with a badge for each agent that works or has news.
//
// Attributes: contact-id (required); selected (the contact is open).
// Events, bubbling: "contact-open" with detail {contactId}; prevent it, or the link, to go elsewhere.
// It shows what the store knows; elements.js brings all that it needs to any app.

import { badgesOf, lastEnd, nextFadeMs, partOf } from "./badges.js";
import { h, icon, patch } from "./dom.js";
import { ago, say } from "./language.js";
import { agentOf, contactOf, get, nowMs, statesOf, watch } from "./store.js";

const STALE_MS = 30_000; // how long "3 min ago" may stand

export class ContactCard extends HTMLElement {
  static observedAttributes = ["contact-id", "selected"];
  /** @type {(() => void) | null} */
  #unwatch = null;
  #timer = 0;

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
    const link = h(
      "a",
      {
        class: "card",
        href: `/?contact=${encodeURIComponent(this.contactId)}`,
        "aria-current": this.hasAttribute("selected") ? "true" : null,
        "data-testid": "card",
        "data-unseen": partOf(states) === "attention",
      },
      h("span", { class: "avatar", "aria-hidden": "true", text: initials(name) }),
      h(
        "span",
        { class: "card-text" },
        h("span", { class: "card-name", dir: "auto", text: name }),
        h("span", { class: "card-more", text: [contact?.company, lastly(states)].filter(Boolean).join(" · ") }),
        badges.length ? h("span", { class: "badges" }, ...badges.map(badgeOf)) : null,
      ),
    );
    patch(this, [link]);
    clearTimeout(this.#timer);
    // A highlight fades and "just now" grows old without any news.
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

/** "Outreach: draft 3 min ago". @param {ContactState[]} states */
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

/** Contacts in the order of the list: news first, then work, then by name. @returns {{part: ReturnType<typeof partOf>, ids: string[]}[]} */
export function listOrder() {
  const contacts = [...(get().directory?.contacts ?? [])].sort((a, b) => a.name.localeCompare(b.name));
  /** @type {Record<ReturnType<typeof partOf>, string[]>} */
  const parts = { attention: [], working: [], rest: [] };
  for (const { id } of contacts) parts[partOf(statesOf(id))].push(id);
  const rows = /** @type {const} */ (["attention", "working", "rest"]).map((part) => ({ part, ids: parts[part] }));
  return rows.filter(({ ids }) => ids.length);
}

if (!customElements.get("contact-card")) customElements.define("contact-card", ContactCard);
