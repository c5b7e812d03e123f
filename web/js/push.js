// "Notify this browser": whether this very browser is subscribed, and how it becomes so or stops.
// In: the browser's permission and subscription, the server's knowledge. Out: `push` and `subscriptionId` in the store.
// Permission is asked for only on a click. On every load what browser and server know is compared and mended.

import { ApiError, api } from "./api.js";
import { browserName, isInstalled, isIos } from "./browser.js";
import { serverConfig } from "./connection.js";
import { spoken } from "./language.js";
import { get, set } from "./store.js";

const SUBSCRIBE_MS = 20_000;
const DAY_MS = 86_400_000;
/** @type {Promise<ServiceWorkerRegistration> | null} */
let registering = null;

/** Registers the worker; once. */
export function worker() {
  registering ??= navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" });
  registering.catch(() => (registering = null));
  return registering;
}

/** What stands in the way before anyone asks the push service. @returns {PushState | null} null: nothing */
function obstacle() {
  if (!("serviceWorker" in navigator && "PushManager" in self && "Notification" in self)) {
    return isIos && !isInstalled() ? "install" : "unsupported";
  }
  return Notification.permission === "denied" ? "denied" : null;
}

/** At every load, on return, and when the permission changes: find out where we stand, and mend what can be mended. */
export async function checkPush() {
  const blocked = obstacle();
  if (blocked) return set({ push: blocked });
  /** @type {PushSubscription | null} */
  let subscription = null;
  try {
    const registration = await worker();
    const wanted = await memory.get("wants-push");
    subscription = await registration.pushManager.getSubscription();
    if (Notification.permission !== "granted" || (!subscription && !wanted))
      return set({ push: "off", subscriptionId: "" });
    await mend(registration);
  } catch (error) {
    // Our own server out of reach changes nothing between the browser and its push service.
    set({ push: error instanceof ApiError && subscription ? "on" : stateAfter(error) });
  }
}

/** On a click: ask, subscribe, tell the server. */
export async function turnOn() {
  const blocked = obstacle();
  if (blocked && blocked !== "denied") return set({ push: blocked });
  // First thing in the click: Safari and Firefox ask only then.
  const permission = await Notification.requestPermission();
  if (permission !== "granted") return set({ push: permission === "denied" ? "denied" : "off" });
  set({ push: "subscribing" });
  try {
    const registration = await worker();
    await mend(registration);
    await memory.set("wants-push", true);
    void speakHere().catch(() => {}); // only a courtesy
  } catch (error) {
    set({ push: stateAfter(error) });
    if (!(error instanceof ApiError)) return;
    // Subscribed, but the server does not have it: nothing would ring, so do not leave it half done.
    await (await (await worker()).pushManager.getSubscription())?.unsubscribe();
    throw error;
  }
}

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
async function mend(registration) {
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
  const told = await api.subscribe({ endpoint, keys, vapid_public_key: key, name: known?.name || browserName() });
  set({ push: "on", subscriptionId: told.id });
}

/** @param {ServiceWorkerRegistration} registration @param {string} key */
async function subscribe(registration, key) {
  await activated(registration);
  const subscribing = registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  // Some browsers wait for their push service for ever.
  let timer = 0;
  const late = new Promise(
    (_, reject) => (timer = setTimeout(() => reject(new DOMException("", "AbortError")), SUBSCRIBE_MS)),
  );
  return /** @type {Promise<PushSubscription>} */ (Promise.race([subscribing, late])).finally(() =>
    clearTimeout(timer),
  );
}

/** A worker that is still installing cannot subscribe. @param {ServiceWorkerRegistration} registration */
async function activated(registration) {
  if (!registration.active) await navigator.serviceWorker.ready;
}

/** @param {unknown} error @returns {PushState} */
function stateAfter(error) {
  if (error instanceof DOMException && error.name === "NotAllowedError")
    return Notification.permission === "denied" ? "denied" : "off";
  if (error instanceof DOMException && (error.name === "SecurityError" || error.name === "NotSupportedError"))
    return "unsupported";
  if (error instanceof DOMException) return "unreachable"; // AbortError and kin: the push service
  return error instanceof TypeError ? "unsupported" : "off"; // TypeError: the worker could not be loaded; else our server
}

/** Notifications speak the language, and keep the time zone, of the browser that is first told. */
async function speakHere() {
  const preferences = await api.preferences();
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const untouched = preferences.time_zone === "UTC" && !preferences.quiet_hours;
  const change = { ...preferences, language: spoken(), time_zone: untouched ? time_zone : preferences.time_zone };
  set({
    preferences:
      JSON.stringify(change) === JSON.stringify(preferences) ? preferences : await api.setPreferences(change),
  });
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
