// The parts of <contact-view>, each built from the answer of /v1/contacts/{id}. No state, no listeners:
// what can be pressed carries `data-action`, which contact-view.js hears.

import { h, icon } from "./dom.js";
import { ago, elapsed, onDay, plainly, say } from "./language.js";
import { agentOf, get, nowMs } from "./store.js";

/** @param {string | null} id @param {string | null} [name] @returns {string} */
export const agentName = (id, name) => name || agentOf(id)?.name || say("an_agent");

/** @param {string} title @param {string} part @param {...(Node | false | null)} content */
export const section = (title, part, ...content) =>
  h(
    "section",
    { class: `part part-${part}`, "data-key": part, "data-testid": `part-${part}` },
    h("h3", { text: title }),
    ...content,
  );

/** @param {Task} task */
const isActive = (task) => task.status === "pending" || task.status === "in_progress";

/** A failed task that nothing came after: it can be tried again. @param {Task} task @param {Task[]} all */
const isOpenFailure = (task, all) =>
  task.status === "failed" &&
  !all.some((other) => other.agent_id === task.agent_id && other.created_at > task.created_at);

/** @param {Task[]} tasks */
export function tasksPart(tasks) {
  const current = tasks.filter((task) => isActive(task) || isOpenFailure(task, tasks));
  const earlier = tasks.filter((task) => !current.includes(task));
  if (!tasks.length) return null;
  return section(
    say("tasks"),
    "tasks",
    current.length > 0 && h("ul", { class: "rows" }, ...current.map((task) => taskRow(task, true))),
    earlier.length > 0 &&
      h(
        "details",
        { "data-key": "earlier" },
        h("summary", { text: say("earlier", { n: earlier.length }) }),
        h("ul", { class: "rows" }, ...earlier.map((task) => taskRow(task, false))),
      ),
  );
}

/** What the task is, unless its agent's name says so already. @param {Task} task @param {string} agent */
function kindOf({ task_type: kind }, agent) {
  const letters = (/** @type {string} */ text) => text.toLowerCase().replace(/[^\p{L}]/gu, "");
  return kind && letters(kind) !== letters(agent) ? plainly(kind) : "";
}

/** @param {Task} task @param {boolean} current */
function taskRow(task, current) {
  const agent = agentName(task.agent_id, task.agent_name);
  const sinceMs = Date.parse(task.started_at ?? task.created_at);
  const end = task.completed_at ?? task.created_at;
  return h(
    "li",
    {
      class: "row task",
      "data-key": task.id,
      "data-testid": "task",
      "data-task-id": task.id,
      "data-status": task.status,
    },
    h("span", { class: "dot", "data-status": task.status }, icon(task.status)),
    h(
      "span",
      { class: "row-text" },
      h("span", { class: "row-title", text: agent }),
      h("span", {
        class: "row-more",
        text: [say(task.status), kindOf(task, agent)].filter(Boolean).join(" · "),
      }),
      task.error && current ? h("span", { class: "row-error", text: task.error }) : null,
    ),
    isActive(task)
      ? h("time", {
          class: "clock",
          "data-testid": "elapsed",
          "data-since": sinceMs,
          text: elapsed((nowMs() - sinceMs) / 1000),
        })
      : h("time", { class: "when", datetime: end, text: ago(end, nowMs()) }),
    current && task.status === "failed"
      ? h(
          "button",
          { class: "small", type: "button", "data-action": "retry", "data-id": task.id },
          icon("retry"),
          say("retry"),
        )
      : null,
  );
}

/** @param {Agent[]} agents */
export function assignPart(agents) {
  if (!agents.length) return null;
  const choices = agents.map((agent, index) =>
    h(
      "label",
      { class: "choice", "data-key": agent.id },
      h("input", { type: "radio", name: "agent", value: agent.id, checked: index === 0, "data-agent-id": agent.id }),
      h("span", { text: agent.name }),
    ),
  );
  return section(
    say("assign_title"),
    "assign",
    h(
      "form",
      { class: "assign", "data-testid": "assign-form" },
      h("div", { class: "choices", role: "radiogroup", "aria-label": say("which_agents") }, ...choices),
      h(
        "div",
        { class: "assign-line" },
        h("textarea", {
          name: "instructions",
          rows: 1,
          maxlength: 2000,
          "aria-label": say("assign_note"),
          placeholder: say("assign_note"),
        }),
        h("button", { class: "main", type: "submit", "data-testid": "assign", text: say("assign") }),
      ),
    ),
  );
}

/** @param {Followup[]} followups */
export function followupsPart(followups) {
  if (!followups.length) return null;
  // What is to come first, nearest on top; then what is over.
  const order = (/** @type {Followup} */ { status, scheduled_for: at }) =>
    status === "scheduled" ? Date.parse(at) : 8.64e15 - Date.parse(at);
  const rows = [...followups]
    .sort((a, b) => order(a) - order(b))
    .map((followup) => {
      const due = followup.status === "scheduled" && Date.parse(followup.scheduled_for) <= nowMs();
      return h(
        "li",
        {
          class: "row",
          "data-key": followup.id,
          "data-testid": "followup",
          "data-status": followup.status,
          "data-due": due,
        },
        h(
          "span",
          { class: "row-text" },
          h("time", { class: "row-title", datetime: followup.scheduled_for, text: onDay(followup.scheduled_for) }),
          h("span", {
            class: "row-more",
            dir: "auto",
            text: [agentName(followup.agent_id), followup.note].filter(Boolean).join(" · "),
          }),
        ),
        h("span", { class: "chip", "data-status": followup.status, text: say(`status_${followup.status}`) }),
      );
    });
  return section(say("followups"), "followups", h("ul", { class: "rows" }, ...rows));
}

/** @param {Activity[]} activity newest first */
export function activityPart(activity) {
  if (!activity.length) return null;
  const rows = activity.map((entry) => {
    const told = ["message", "subject", "note", "error", "reason"]
      .map((key) => entry.details?.[key])
      .find((value) => typeof value === "string");
    return h(
      "li",
      { "data-key": entry.id, "data-testid": "activity-entry" },
      h("span", { class: "row-title", text: plainly(entry.action) }),
      h("span", {
        class: "row-more",
        dir: "auto",
        text: [entry.agent_id && agentName(entry.agent_id), told].filter(Boolean).join(" · "),
      }),
      h("time", { class: "when", datetime: entry.created_at, text: ago(entry.created_at, nowMs()) }),
    );
  });
  return section(say("activity"), "activity", h("ol", { class: "timeline" }, ...rows));
}

/** @param {Contact} contact */
export function contactHead(contact) {
  const muted = get().preferences?.muted_contacts.includes(contact.id) ?? false;
  return h(
    "header",
    { class: "view-head", "data-key": "head" },
    h(
      "button",
      { class: "back", type: "button", "data-action": "close", "data-testid": "close", "aria-label": say("back") },
      icon("back"),
      icon("close"),
      h("span", { text: say("back") }),
    ),
    h(
      "div",
      { class: "view-title" },
      h("h2", { tabindex: -1, dir: "auto", "data-testid": "contact-name", text: contact.name || say("no_name") }),
      h(
        "p",
        { class: "row-more" },
        contact.company,
        contact.company && contact.email ? " · " : null,
        contact.email && h("a", { href: `mailto:${contact.email}`, text: contact.email }),
      ),
    ),
    get().preferences &&
      h(
        "button",
        {
          class: "round",
          type: "button",
          "data-action": "mute",
          "aria-pressed": String(muted),
          "aria-label": say("mute"),
          title: say(muted ? "muted" : "mute"),
        },
        icon(muted ? "muted" : "bell"),
      ),
  );
}
