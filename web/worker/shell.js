// The page's own files, kept so that it opens offline. Online the server's files are used, so a new version shows at
// once and never mixed; when one of them has changed, all are kept anew. /v1 is never touched.
// In a built page (`taskbell page`) the files lie in a folder named after their content: what is kept of it is good
// for ever, a new version brings a new worker, and a page that is still open finds the files of its own version.

const SHELL = "shell";
const VERSION = /^\/v-[0-9a-f]+(?=\/)/;
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
    "elements",
    "inbox",
    "language",
    "list",
    "live",
    "memory",
    "notes",
    "preferences",
    "push",
    "push-help",
    "realtime",
    "realtime-channel",
    "router",
    "rungs",
    "session",
    "settings",
    "sign-in",
    "signing",
    "status-line",
    "store",
    "subscribing",
    "tabs",
    "texts",
    "texts.de",
    "texts.more",
  ].map((name) => `/js/${name}.js`),
];

/** Keeps every file; one that is missing or a full storage must not keep the worker from ringing. */
async function keepShell() {
  try {
    const cache = await caches.open(SHELL);
    await Promise.allSettled(FILES.map((file) => keepFile(cache, file)));
    await forgetOldVersions(cache);
  } catch {} // storage forbidden or full: no offline page, that is all
}

/** @param {Cache} cache @param {string} file */
async function keepFile(cache, file) {
  if (VERSION.test(file) && (await cache.match(file))) return;
  const response = await fetch(file, { cache: "no-cache" }); // asks whether ours is still good; 304 costs nothing
  if (response.ok && !response.redirected) await cache.put(file, response);
}

/** Leaves our own version, and the last one besides, which open pages may be of. @param {Cache} cache */
async function forgetOldVersions(cache) {
  const versionOf = (/** @type {string} */ path) => path.match(VERSION)?.[0];
  const ours = FILES.map(versionOf).find(Boolean);
  const paths = (await cache.keys()).map(({ url }) => new URL(url).pathname); // in the order in which they came
  const other = paths.map(versionOf).findLast((version) => version && version !== ours);
  const old = paths.filter((path) => versionOf(path) && ![ours, other].includes(versionOf(path)));
  await Promise.all(old.map((path) => cache.delete(path)));
}

/** @param {Request} request */
function isShell({ method, url, mode }) {
  const { origin, pathname } = new URL(url);
  return (
    method === "GET" &&
    origin === self.location.origin &&
    (mode === "navigate" ? pathname === "/" : FILES.includes(pathname) || VERSION.test(pathname))
  );
}

/** From the network if it answers soon, else as kept. @param {FetchEvent} event @returns {Promise<Response>} */
async function fromShell(event) {
  const file = event.request.mode === "navigate" ? "/" : new URL(event.request.url).pathname;
  const kept = await caches.match(file, { cacheName: SHELL }).catch(() => undefined);
  if (kept && VERSION.test(file)) return kept;
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
  const built = FILES.some((file) => VERSION.test(file)); // then a new version is its own worker's to keep
  if (built || !response.ok || (kept && mark(kept) === mark(response))) return;
  renewing ??= keepShell().then(() => void (renewing = null));
  return renewing;
}
