// What the badges of a contact say. Pure: from the states of its agents and the time, nothing else.

/** How long a fresh draft is highlighted. */
export const FRESH_MS = 5 * 60_000;

/**
 * @typedef {object} Badge
 * @property {string} agentId
 * @property {string} agentName "" = unknown
 * @property {TaskStatus} status
 * @property {boolean} fresh a draft that was completed less than 5 minutes ago
 * @property {"pending" | "in_progress" | "draft_ready" | "draft_unseen" | "completed" | "failed"} phrase what it says, a key of texts.js
 * @property {string | null} reason why it failed
 */

const RANK = { failed: 0, draft_ready: 1, completed: 2, in_progress: 3, pending: 4 };

/**
 * Work shows until it ends; its end shows until the contact is opened.
 * @param {readonly ContactState[]} states of one contact
 * @param {number} nowMs server time
 * @returns {Badge[]} what matters most first
 */
export function badgesOf(states, nowMs) {
  return states
    .filter(({ status, unseen }) => unseen || status === "pending" || status === "in_progress")
    .sort((a, b) => RANK[a.status] - RANK[b.status] || (a.agent_name ?? "").localeCompare(b.agent_name ?? ""))
    .map((entry) => {
      const fresh = entry.status === "draft_ready" && nowMs - endOf(entry) < FRESH_MS;
      return {
        agentId: entry.agent_id,
        agentName: entry.agent_name ?? "",
        status: entry.status,
        fresh,
        phrase: entry.status === "draft_ready" && !fresh ? "draft_unseen" : entry.status,
        reason: entry.reason,
      };
    });
}

/** @param {ContactState} entry @returns {number} ms since 1970 */
const endOf = (entry) => Date.parse(entry.ready_at ?? entry.changed_at);

/**
 * When the next highlight ends by itself.
 * @param {readonly ContactState[]} states
 * @param {number} nowMs server time
 * @returns {number} ms from now; Infinity if none will
 */
export function nextFadeMs(states, nowMs) {
  const left = states
    .filter((entry) => entry.status === "draft_ready" && entry.unseen)
    .map((entry) => endOf(entry) + FRESH_MS - nowMs);
  return Math.min(Infinity, ...left.filter((ms) => ms > 0));
}

/** Which part of the list a contact belongs to. @param {readonly ContactState[]} states @returns {"attention" | "working" | "rest"} */
export function partOf(states) {
  if (states.some((entry) => entry.unseen)) return "attention";
  return states.some(({ status }) => status === "pending" || status === "in_progress") ? "working" : "rest";
}

/** The last end of any task of a contact that has been seen. @param {readonly ContactState[]} states @returns {ContactState | undefined} */
export function lastEnd(states) {
  return states
    .filter((entry) => !entry.unseen && ["draft_ready", "completed", "failed"].includes(entry.status))
    .sort((a, b) => b.event_id - a.event_id)[0];
}

/** @param {readonly ContactState[]} states @returns {number} contacts with something unseen */
export const countUnseen = (states) =>
  new Set(states.filter((entry) => entry.unseen).map((entry) => entry.contact_id)).size;

/**
 * What is new in an inbox compared with the one before.
 * @param {ContactState[]} before
 * @param {ContactState[]} after
 * @returns {ContactState[]} oldest first
 */
export function news(before, after) {
  const known = new Map(before.map((entry) => [`${entry.contact_id} ${entry.agent_id}`, entry]));
  return after
    .filter((entry) => {
      const old = known.get(`${entry.contact_id} ${entry.agent_id}`);
      return !old || (entry.event_id > old.event_id && (entry.status !== old.status || entry.task_id !== old.task_id));
    })
    .sort((a, b) => a.event_id - b.event_id);
}
