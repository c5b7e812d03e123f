// Receipts (shown, clicked, closed) and the worker's own calls of /v1. A receipt that cannot be sent waits in
// IndexedDB for the next push, click, page or sync.

const RECEIPTS_KEPT = 200;
const RECEIPT_AGE_MS = 7 * 86_400_000;
const CALL_MS = 10_000;

/** @param {string | null | undefined} token of the payload @param {Receipt["event"]} event */
async function receipt(token, event) {
  if (!token) return;
  /** @type {Receipt} */
  const made = { token, event, at: new Date().toISOString() };
  try {
    await memory.run("receipts", "readwrite", (store) => void store.add(made));
  } catch {
    return void (await sendReceipt(made).catch(() => {})); // nowhere to keep it: now or never
  }
  await flushReceipts();
}

/** @param {Receipt} made @returns {Promise<boolean>} settled: taken, or refused for good */
async function sendReceipt(made) {
  const response = await fetch("/v1/receipts", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(made),
    signal: timeLimit(),
  });
  return response.ok || (response.status >= 400 && response.status < 500 && response.status !== 429);
}

/** One flush at a time, or a receipt would be sent twice. */
let flushing = Promise.resolve();

/** Sends what waits, oldest first, and stops at the first that cannot be sent. */
function flushReceipts() {
  flushing = flushing.then(flush).catch(() => {});
  return flushing;
}

async function flush() {
  /** @type {[IDBValidKey, Receipt][]} */
  const waiting = [];
  await memory.run("receipts", "readonly", (store) => {
    const walk = store.openCursor();
    walk.onsuccess = () => {
      if (!walk.result) return;
      waiting.push([walk.result.key, walk.result.value]);
      walk.result.continue();
    };
  });
  const forget = (/** @type {IDBValidKey} */ key) =>
    memory.run("receipts", "readwrite", (store) => void store.delete(key));
  for (const [index, [key, made]] of waiting.entries()) {
    const old = Date.now() - Date.parse(made.at) > RECEIPT_AGE_MS || waiting.length - index > RECEIPTS_KEPT;
    if (!old && !(await sendReceipt(made).catch(() => false))) {
      const sync = /** @type {any} */ (scope.registration).sync;
      return void (await sync?.register("receipts").catch(() => {}));
    }
    await forget(key);
  }
}

function timeLimit() {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), CALL_MS);
  return stop.signal;
}

/**
 * A call as the user who is signed in here.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<Response>} rejects unless 2xx
 */
async function apiCall(method, path, body) {
  let bearer = await session.token();
  for (let again = true; ; again = false) {
    const headers = { authorization: `Bearer ${bearer}`, ...(body ? { "content-type": "application/json" } : {}) };
    const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal: timeLimit() });
    if (response.ok) return response;
    if (response.status !== 401 || !again) throw new Error(`${method} ${path.split("/")[2]} ${response.status}`);
    bearer = await session.renew(bearer);
  }
}
