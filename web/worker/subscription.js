// The browser changed this browser's subscription by itself: subscribe again and tell the server.
// What cannot be done here is mended by the page at its next load.

/** @param {PushSubscription | null} old @param {PushSubscription | null} renewed */
async function onSubscriptionChange(old, renewed) {
  const server = await session.config();
  const key = server.vapid_public_key;
  const manager = scope.registration.pushManager;
  const subscription =
    renewed ??
    (await manager.getSubscription()) ??
    (await manager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  const { endpoint, keys } = subscription.toJSON();
  const name = (await nameOf(old).catch(() => "")) || (await memory.get("browser-name")) || "Browser";
  await apiCall("PUT", "/v1/subscriptions", { endpoint, keys, vapid_public_key: key, name });
  await tellPages({ type: "subscription" });
}

/** The name the user gave this browser lives on. @param {PushSubscription | null} old @returns {Promise<string>} */
async function nameOf(old) {
  if (!old) return "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(old.endpoint));
  const hash = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  /** @type {{subscriptions: Subscription[]}} */
  const { subscriptions } = await (await apiCall("GET", "/v1/subscriptions")).json();
  return subscriptions.find((entry) => entry.endpoint_hash === hash)?.name ?? "";
}
