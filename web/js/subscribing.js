// Subscribing this browser with the push service, and telling the server; loaded when it is first needed.
// In: a registered worker, the server's VAPID key. Out: `push` and `subscriptionId` in the store.

import { api } from "./api.js";
import { browserName } from "./browser.js";
import { serverConfig } from "./connection.js";
import { spoken } from "./language.js";
import { changePreferences, readPreferences } from "./preferences.js";
import { checkPush, worker } from "./push.js";
import { get, set } from "./store.js";

const SUBSCRIBE_MS = 8_000;
const DAY_MS = 86_400_000;

/** On a click: this browser is not notified any more. */
export async function turnOff() {
  await memory.set("wants-push", undefined);
  const { subscriptionId } = get();
  const subscription = await (await worker()).pushManager.getSubscription();
  await subscription?.unsubscribe();
  set({ push: "off", subscriptionId: "" });
  if (subscriptionId) await api.unsubscribe(subscriptionId);
}

/**
 * Leaves this browser subscribed with the server's key, and the server knowing it; one tab at a time.
 * @param {ServiceWorkerRegistration} registration
 */
export async function mend(registration) {
  const work = () => mendAlone(registration);
  await (navigator.locks ? navigator.locks.request("taskbell-push", work) : work());
}

/** @param {ServiceWorkerRegistration} registration */
async function mendAlone(registration) {
  let subscription = await registration.pushManager.getSubscription();
  const key = serverConfig().vapid_public_key;
  const { subscriptions } = await api.subscriptions();
  const hash = subscription && (await sha256(subscription.endpoint));
  const known = subscriptions.find(({ endpoint_hash }) => endpoint_hash === hash);
  // Made for another key, or dead to the push service: it never rings again. Make a new one.
  if (subscription && ((keyOf(subscription) || key) !== key || known?.retired_at)) {
    await subscription.unsubscribe();
    subscription = null;
  } else if (
    subscription &&
    known &&
    known.vapid_public_key === key &&
    Date.now() - Date.parse(known.seen_at ?? "") < DAY_MS
  ) {
    return set({ push: "on", subscriptionId: known.id });
  }
  const live = subscription ?? (await subscribe(registration, key));
  const { endpoint, keys } = live.toJSON();
  // Once a day, and whenever the server forgot it, it moved, or another user was here before.
  const name = known?.name || browserName();
  const told = await api.subscribe({ endpoint, keys, vapid_public_key: key, name });
  void memory.set("browser-name", name); // for the worker, should the browser change its subscription
  set({ push: "on", subscriptionId: told.id });
}

/** @param {ServiceWorkerRegistration} registration @param {string} key */
async function subscribe(registration, key) {
  await activated(registration);
  const subscribing = registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  // Some browsers wait for their push service for ever. Should it answer after all, that counts too.
  let timer = 0;
  const late = new Promise(
    (_, reject) =>
      (timer = setTimeout(() => {
        reject(new DOMException("", "AbortError"));
        subscribing.then(checkPush, () => {});
      }, SUBSCRIBE_MS)),
  );
  return /** @type {Promise<PushSubscription>} */ (Promise.race([subscribing, late])).finally(() =>
    clearTimeout(timer),
  );
}

/** A worker that is still installing cannot subscribe. @param {ServiceWorkerRegistration} registration */
async function activated(registration) {
  if (!registration.active) await navigator.serviceWorker.ready;
}

/** Notifications speak the language, and keep the time zone, of the browser that is first told. */
export async function speakHere() {
  await readPreferences();
  const { preferences } = get();
  if (!preferences) return;
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const untouched = preferences.time_zone === "UTC" && !preferences.quiet_hours;
  const inNeed = spoken() !== preferences.language || (untouched && time_zone !== "UTC");
  if (inNeed) await changePreferences({ language: spoken(), ...(untouched && { time_zone }) });
}

/** @param {PushSubscription} subscription @returns {string} base64url without padding, "" if the browser does not tell */
function keyOf(subscription) {
  const key = subscription.options?.applicationServerKey;
  if (!key) return "";
  return btoa(String.fromCharCode(...new Uint8Array(key)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}

/** @param {string} text @returns {Promise<string>} hex */
async function sha256(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
