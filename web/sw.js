// The service worker: rings, opens, counts, keeps the page readable offline. A classic script, because module workers
// are young. This file says which event goes where; worker/*.js say what happens. Everything runs under waitUntil.

importScripts(
  "/js/texts.js",
  "/js/texts.more.js",
  "/js/texts.de.js",
  "/js/memory.js",
  "/js/session.js",
  "/worker/quiet.js",
  "/worker/payload.js",
  "/worker/show.js",
  "/worker/receipts.js",
  "/worker/click.js",
  "/worker/subscription.js",
  "/worker/shell.js",
);

const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

// A new worker takes over without waiting for tabs to close, as soon as the old one has nothing to do.
scope.addEventListener("install", (event) => {
  // A request that is held would keep the old worker at work for ever, and the new one waiting (Chromium).
  /** @type {any} */ (event).addRoutes?.({ condition: { urlPattern: "/v1/*" }, source: "network" });
  event.waitUntil(
    Promise.all([silence(), keepShell()])
      .then(() => scope.skipWaiting())
      .then(askAgain),
  );
});
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));

const ASK_AGAIN_MS = 500;

/** Chromium lets it wait for minutes where a request woke the old one in the moment of the change, unless asked again. */
function askAgain() {
  const asking = setInterval(() => {
    const state = scope.serviceWorker?.state; // not every browser tells
    if (state === "installed") void scope.skipWaiting();
    else if (state !== "installing") clearInterval(asking);
  }, ASK_AGAIN_MS);
}

scope.addEventListener("push", (event) => event.waitUntil(heard(onPush(event))));
scope.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(heard(onClick(event.notification, event.action)));
});
scope.addEventListener("notificationclose", (event) => event.waitUntil(heard(onClose(event.notification))));
scope.addEventListener("pushsubscriptionchange", (event) => {
  const change =
    /** @type {Event & {oldSubscription?: PushSubscription | null, newSubscription?: PushSubscription | null} & ExtendableEvent} */ (
      event
    );
  change.waitUntil(onSubscriptionChange(change.oldSubscription ?? null, change.newSubscription ?? null));
});

scope.addEventListener("fetch", (event) => {
  if (isShell(event.request)) event.respondWith(fromShell(event));
});
scope.addEventListener("message", (event) => {
  if (event.data?.type === "flush") event.waitUntil(flushReceipts());
});
// Where there is Background Sync, receipts that wait for the network are sent without a page.
scope.addEventListener(/** @type {any} */ ("sync"), (/** @type {ExtendableEvent} */ event) =>
  event.waitUntil(flushReceipts()),
);
