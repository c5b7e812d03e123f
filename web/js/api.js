// Calls of /v1 as the signed-in user. Out: the parsed answer, or an ApiError that says why not.

import "./memory.js";
import "./session.js";

/** Refused by the server (status > 0), or the server was not reached (status 0). */
export class ApiError extends Error {
  /** @param {number} status @param {string} reason a stable slug @param {number} [retryAfterSeconds] 0 = not said */
  constructor(status, reason, retryAfterSeconds = 0) {
    super(`${status} ${reason}`);
    this.status = status;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const TIMEOUT_MS = 15_000;
let lastBearer = "";

/**
 * One request with a fresh token; a token that is refused is renewed once.
 * @param {string} method
 * @param {string} path from /v1/ on
 * @param {{body?: unknown, headers?: Record<string, string>, signal?: AbortSignal, timeoutMs?: number}} [options]
 * @returns {Promise<Response>} 2xx or 304
 * @throws {ApiError}
 * @throws {InstanceType<typeof session.SignedOut>}
 */
export async function request(method, path, { body, headers, signal, timeoutMs = TIMEOUT_MS } = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeoutMs);
  const leave = () => stop.abort();
  signal?.addEventListener("abort", leave);
  if (signal?.aborted) leave();
  try {
    let bearer = await session.token();
    for (let again = true; ; again = false) {
      lastBearer = bearer;
      const response = await fetch(path, { ...asked(method, body, headers), signal: stop.signal });
      if (response.ok || response.status === 304) return response;
      if (response.status !== 401) throw await refusal(response);
      if (!again) throw new session.SignedOut();
      bearer = await session.renew(bearer);
    }
  } catch (error) {
    if (error instanceof ApiError || error instanceof session.SignedOut) throw error;
    throw new ApiError(0, navigator.onLine ? "unreachable" : "offline");
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
}

/** @param {string} method @param {unknown} body @param {Record<string, string>} [headers] @returns {RequestInit} */
const asked = (method, body, headers) => ({
  method,
  cache: "no-store",
  headers: {
    authorization: `Bearer ${lastBearer}`,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...headers,
  },
  body: body === undefined ? undefined : JSON.stringify(body),
});

/** @param {Response} response */
async function refusal(response) {
  const told = await response.json().catch(() => null);
  const after = Number(response.headers.get("retry-after"));
  return new ApiError(response.status, String(told?.error?.reason ?? "refused"), Number.isFinite(after) ? after : 0);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the parsed answer; null if it has none
 */
export async function call(method, path, body, signal) {
  const response = await request(method, path, { body, signal });
  return response.status === 204 ? null : response.json();
}

/** A path segment. @param {string} id */
const at = (id) => encodeURIComponent(id);

export const api = {
  /** @returns {Promise<Directory>} */
  directory: () => call("GET", "/v1/contacts"),
  /** @param {string} id @param {AbortSignal} [signal] @returns {Promise<ContactDetails>} */
  contact: (id, signal) => call("GET", `/v1/contacts/${at(id)}`, undefined, signal),
  /** @param {string} id @returns {Promise<{version: number}>} */
  seen: (id) => call("POST", `/v1/contacts/${at(id)}/seen`),
  /** @param {string} contact_id @param {string} agent_id @param {string} instructions @returns {Promise<{task_id: string}>} */
  assign: (contact_id, agent_id, instructions) =>
    call("POST", "/v1/tasks", { contact_id, agent_id, ...(instructions ? { instructions } : {}) }),
  /** @param {string} id */
  retry: (id) => call("POST", `/v1/tasks/${at(id)}/retry`),
  /** @param {string} id @param {"approved" | "rejected"} status */
  review: (id, status) => call("POST", `/v1/drafts/${at(id)}/review`, { status }),
  /** @returns {Promise<Preferences>} */
  preferences: () => call("GET", "/v1/preferences"),
  /** @param {PreferencesChange} change @returns {Promise<Preferences>} */
  changePreferences: (change) => call("PATCH", "/v1/preferences", change),
  /** The page is being left: this request outlives it, and nobody hears the answer. @param {PreferencesChange} change */
  leavePreferences: (change) =>
    void fetch("/v1/preferences", { ...asked("PATCH", change), keepalive: true }).catch(() => {}),
  /** @returns {Promise<{subscriptions: Subscription[]}>} */
  subscriptions: () => call("GET", "/v1/subscriptions"),
  /** @param {object} subscription @returns {Promise<Subscription>} */
  subscribe: (subscription) => call("PUT", "/v1/subscriptions", subscription),
  /** @param {string} id @param {string} name @returns {Promise<Subscription>} */
  rename: (id, name) => call("PATCH", `/v1/subscriptions/${at(id)}`, { name }),
  /** @param {string} id */
  unsubscribe: (id) => call("DELETE", `/v1/subscriptions/${at(id)}`),
  /** @param {string} id @returns {Promise<{outcome: string, status_code: number | null, reason: string | null}>} */
  test: (id) => call("POST", `/v1/subscriptions/${at(id)}/test`),
};
