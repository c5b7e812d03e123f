// The page's own files, kept so that it opens offline. Online the server's files are used, so a new version shows at
// once and never mixed; when one of them has changed, all are kept anew. /v1 is never touched.

const SHELL = "shell";
const ONLINE_MS = 3_000; // a network slower than this counts as none, if we have the file
const FILES = [
  "/",
  "/app.css",
  "/css/frame.css",
  "/css/cards.css",
  "/css/view.css",
  "/css/forms.css",
  "/manifest.webmanifest",
  "/icons/taskbell.svg",
  "/icons/symbols.svg",
  "/icons/icon-192.png",
  "/icons/badge-96.png",
  ...[
    "announce",
    "api",
    "app",
    "badges",
    "browser",
    "browsers-list",
    "connection",
    "contact-card",
    "contact-drafts",
    "contact-parts",
    "contact-view",
    "dom",
    "inbox",
    "language",
    "list",
    "live",
    "memory",
    "notes",
    "preferences",
    "push",
    "router",
    "rungs",
    "session",
    "settings",
    "sign-in",
    "status-line",
    "store",
    "subscribing",
    "tabs",
    "texts",
    "texts.de",
  ].map((name) => `/js/${name}.js`),
];

/** Keeps every file; one that is missing or a full storage must not keep the worker from ringing. */
async function keepShell() {
  try {
    const cache = await caches.open(SHELL);
    await Promise.allSettled(FILES.map((file) => keepFile(cache, file)));
  } catch {} // storage forbidden or full: no offline page, that is all
}

/** @param {Cache} cache @param {string} file */
async function keepFile(cache, file) {
  const response = await fetch(file, { cache: "no-cache" }); // asks whether ours is still good; 304 costs nothing
  if (response.ok && !response.redirected) await cache.put(file, response);
}

/** @param {Request} request */
function isShell({ method, url, mode }) {
  const { origin, pathname } = new URL(url);
  return (
    method === "GET" &&
    origin === self.location.origin &&
    (mode === "navigate" ? pathname === "/" : FILES.includes(pathname))
  );
}

/** From the network if it answers soon, else as kept. @param {FetchEvent} event @returns {Promise<Response>} */
async function fromShell(event) {
  const file = event.request.mode === "navigate" ? "/" : new URL(event.request.url).pathname;
  const kept = await caches.match(file, { cacheName: SHELL }).catch(() => undefined);
  const online = fetch(event.request);
  event.waitUntil(
    online.then(
      (response) => renewIfChanged(response, kept),
      () => {},
    ),
  );
  if (!kept) return online;
  const slow = new Promise((resolve) => setTimeout(resolve, ONLINE_MS));
  const response = await Promise.race([online.catch(() => null), slow.then(() => null)]);
  return response && response.status < 500 ? response : kept;
}

/** @type {Promise<void> | null} */
let renewing = null;

/** @param {Response} response @param {Response | undefined} kept */
function renewIfChanged(response, kept) {
  const mark = (/** @type {Response | undefined} */ of) => of?.headers.get("etag") ?? of?.headers.get("last-modified");
  if (!response.ok || (kept && mark(kept) === mark(response))) return;
  renewing ??= keepShell().then(() => void (renewing = null));
  return renewing;
}
