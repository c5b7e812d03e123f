// "Notify this browser": whether this very browser is subscribed, and how it becomes so or stops.
// In: the browser's permission and subscription, the server's knowledge. Out: `push` and `subscriptionId` in the store.
// Permission is asked for only on a click. On every load what browser and server know is compared and mended.

// Subscribing itself, which a first visit does not need, is in subscribing.js.

import { ApiError } from "./api.js";
import { set } from "./store.js";

/** Cannot be loaded: our own server is out of reach. */
const subscribing = () =>
  import("./subscribing.js").catch(() => {
    throw new ApiError(0, "unreachable");
  });
/** @type {Promise<ServiceWorkerRegistration> | null} */
let registering = null;

/** The worker cannot be loaded, or the browser does not let it run. */
export class WorkerBroken extends Error {}

/** Registers the worker; once. @returns {Promise<ServiceWorkerRegistration>} rejects with WorkerBroken */
export function worker() {
  registering ??= navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" }).catch((error) => {
    registering = null;
    throw new WorkerBroken(String(error));
  });
  return registering;
}

/** iPhone or iPad (which calls itself a Mac but can be touched). */
export function isIos() {
  const { userAgent, maxTouchPoints } = navigator;
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}

/** Opened from the home screen or as an installed app. */
const isInstalled = () =>
  matchMedia("(display-mode: standalone)").matches || /** @type {any} */ (navigator).standalone === true;

/** What stands in the way before anyone asks the push service. @returns {PushState | null} null: nothing */
function obstacle() {
  if (!("serviceWorker" in navigator && "PushManager" in self && "Notification" in self)) {
    return isIos() && !isInstalled() ? "install" : "unsupported";
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
    const { mend } = await subscribing();
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
    await memory.set("wants-push", true); // also where it fails now: tried again at the next load
    const { mend, speakHere } = await subscribing();
    await mend(registration);
    void speakHere().catch(() => {}); // only a courtesy
  } catch (error) {
    set({ push: stateAfter(error) });
    if (!(error instanceof ApiError)) return;
    // Subscribed, but the server does not have it: nothing would ring, so do not leave it half done.
    await memory.set("wants-push", undefined);
    await (await (await worker()).pushManager.getSubscription())?.unsubscribe();
    throw error;
  }
}

/** @param {unknown} error @returns {PushState} */
function stateAfter(error) {
  if (error instanceof WorkerBroken) return "broken";
  if (error instanceof DOMException && error.name === "NotAllowedError")
    return Notification.permission === "denied" ? "denied" : "off";
  if (error instanceof DOMException && (error.name === "SecurityError" || error.name === "NotSupportedError"))
    return "unsupported";
  if (error instanceof DOMException) return "unreachable"; // AbortError and kin: the push service
  return error instanceof TypeError ? "unsupported" : "off"; // not a key, an option it does not know; else our server
}
