// The drafts of a contact: those that wait for a decision in full, those decided folded away. Built like contact-parts.js.

import { agentName, section } from "./contact-parts.js";
import { h, icon } from "./dom.js";
import { ago, say } from "./language.js";
import { nowMs } from "./store.js";

const LONG_BODY = 280; // characters; a longer draft is folded

/** @param {Draft[]} drafts @param {ReadonlySet<string>} unfolded ids of long drafts that are shown whole */
export function draftsPart(drafts, unfolded) {
  const open = drafts.filter(({ status }) => status === "draft");
  const settled = drafts.filter(({ status }) => status !== "draft");
  return section(
    say("drafts"),
    "drafts",
    !drafts.length && h("p", { class: "quiet", text: say("no_drafts") }),
    ...open.map((draft) =>
      h(
        "article",
        { class: "draft", ...draftHooks(draft) },
        h("h4", { dir: "auto", text: draft.subject || say("no_subject") }),
        draftBody(draft, unfolded),
        draftMore(draft),
        draftActions(draft),
      ),
    ),
    ...settled.map((draft) =>
      h(
        "details",
        { class: "draft settled", ...draftHooks(draft) },
        h(
          "summary",
          {},
          h("span", { class: "draft-title", dir: "auto", text: draft.subject || say("no_subject") }),
          " ",
          h("span", { class: "chip", "data-status": draft.status, text: say(`status_${draft.status}`) }),
        ),
        h("p", { class: "draft-body", dir: "auto", text: draft.body ?? "" }),
        draftMore(draft),
      ),
    ),
  );
}

/** @param {Draft} draft */
const draftHooks = (draft) => ({
  "data-key": draft.id,
  "data-testid": "draft",
  "data-draft-id": draft.id,
  "data-status": draft.status,
});

/** @param {Draft} draft */
const draftMore = (draft) =>
  h("p", { class: "row-more", text: `${agentName(draft.agent_id)} · ${ago(draft.created_at, nowMs())}` });

/** @param {Draft} draft @param {ReadonlySet<string>} unfolded */
function draftBody({ id, body }, unfolded) {
  const folded = (body?.length ?? 0) > LONG_BODY && !unfolded.has(id);
  const more = h("button", {
    class: "link",
    type: "button",
    "data-action": "unfold",
    "data-id": id,
    text: say("show_all"),
  });
  return h(
    "div",
    {},
    h("p", { class: folded ? "draft-body folded" : "draft-body", dir: "auto", text: body ?? "" }),
    folded && more,
  );
}

/** @param {Draft} draft */
function draftActions({ id }) {
  return h(
    "p",
    { class: "actions" },
    h(
      "button",
      { class: "main", type: "button", "data-action": "approve", "data-id": id },
      icon("completed"),
      say("approve"),
    ),
    h("button", { type: "button", "data-action": "reject", "data-id": id, text: say("reject") }),
  );
}
