// Signing in and out with Supabase Auth, over REST. In: what the user types, or a mailed link brought.
// Out: a session that session.js keeps, or none. Loaded when it is needed.

import "./memory.js";
import "./session.js";

const LINK_MS = 24 * 3_600_000;

/** @param {string} email @param {string} password @returns {Promise<boolean>} false: wrong, or not confirmed */
export async function signIn(email, password) {
  const response = await session.auth(await session.config(), "token?grant_type=password", { email, password });
  if (response.ok) await session.keep(await response.json());
  else if (response.status >= 500 || response.status === 429) throw new Error(`auth ${response.status}`);
  return response.ok;
}

/** Sends a link by mail that comes back to this page. @param {string} email @param {string} back @returns {Promise<boolean>} */
export async function sendLink(email, back) {
  const path = `otp?redirect_to=${encodeURIComponent(back)}`;
  await memory.set("asked-link", Date.now());
  return (await session.auth(await session.config(), path, { email, create_user: false })).ok;
}

/**
 * Takes the session that a mailed link brings in the address, if this browser asked for one:
 * nobody is signed in to a stranger's account by a link.
 * @param {string} hash
 * @returns {Promise<boolean>}
 */
export async function takeLink(hash) {
  const asked = await memory.get("asked-link");
  await memory.set("asked-link", undefined);
  if (!(Date.now() - asked < LINK_MS)) return false;
  const brought = Object.fromEntries(new URLSearchParams(hash.slice(1)));
  if (!brought.access_token || !brought.refresh_token) return false;
  await session.keep(/** @type {any} */ (brought));
  return true;
}

/** Ends the session here and, if the server can be reached, there. */
export async function signOut() {
  const server = await session.config();
  const bearer = await session.token().catch(() => "");
  await memory.clear();
  if (!server.supabase_url || !bearer) return;
  const headers = { authorization: `Bearer ${bearer}`, apikey: server.supabase_publishable_key ?? "" };
  await fetch(`${server.supabase_url}/auth/v1/logout?scope=local`, { method: "POST", headers }).catch(() => {});
}
