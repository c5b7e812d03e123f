// What this browser remembers, in IndexedDB. Read by the page (import) and by the worker (importScripts),
// so it neither imports nor exports: what it offers is the global `memory`.
// Where storage is full or forbidden it forgets at the end of the visit, says so in `memory.trouble` and by the event
// "taskbell-memory", and never throws.

const memory = (() => {
  const STORES = /** @type {const} */ (["values", "tags", "receipts"]);
  /** @type {Promise<IDBDatabase> | null} */
  let opening = null;
  /** What could not be written: it stands in for what is stored until that works again. @type {Map<string, unknown>} */
  const fallback = new Map();
  const self_ = { trouble: /** @type {"" | "full" | "forbidden"} */ ("") };

  /** @returns {Promise<IDBDatabase>} */
  function open() {
    opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("taskbell", 1);
      request.onupgradeneeded = () => {
        for (const name of STORES) request.result.createObjectStore(name, { autoIncrement: name === "receipts" });
      };
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const database = request.result;
        // Another version wants to open it, or the browser closed it: open again at the next use.
        database.onversionchange = () => (database.close(), (opening = null));
        database.onclose = () => (opening = null);
        resolve(database);
      };
    });
    opening.catch(() => (opening = null));
    return opening;
  }

  /**
   * Runs one transaction; `work` may chain requests and hands its result to `give`.
   * @template T
   * @param {typeof STORES[number]} store
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore, give: (value: T) => void) => void} work
   * @returns {Promise<T | undefined>} rejects where storage fails
   */
  async function run(store, mode, work) {
    const transaction = (await open()).transaction(store, mode);
    /** @type {T | undefined} */
    let result;
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    work(transaction.objectStore(store), (value) => (result = value));
    await done;
    return result;
  }

  /** @param {"" | "full" | "forbidden"} trouble */
  function say(trouble) {
    if (self_.trouble === trouble) return;
    self_.trouble = trouble;
    self.dispatchEvent(new Event("taskbell-memory"));
  }

  /** @param {unknown} error */
  function note(error) {
    // Firefox calls a full store a broken one, the second time.
    const full = /** @type {any} */ (error)?.name === "QuotaExceededError" || self_.trouble === "full";
    say(full ? "full" : "forbidden");
  }

  /**
   * @param {string} key
   * @returns {Promise<any>} undefined when nothing is known
   */
  async function get(key) {
    if (fallback.has(key)) return fallback.get(key);
    try {
      return await run("values", "readonly", (store, give) => {
        const request = store.get(key);
        request.onsuccess = () => give(request.result);
      });
    } catch (error) {
      return void note(error);
    }
  }

  /**
   * @param {string} key
   * @param {unknown} value undefined forgets the key
   */
  async function set(key, value) {
    try {
      await run(
        "values",
        "readwrite",
        (store) => void (value === undefined ? store.delete(key) : store.put(value, key)),
      );
      fallback.delete(key);
      if (!fallback.size) say("");
    } catch (error) {
      note(error);
      fallback.set(key, value);
    }
  }

  /** Forgets everything of the user who leaves; receipts already owed stay, they carry their own token. */
  async function clear() {
    fallback.clear();
    for (const name of /** @type {const} */ (["values", "tags"])) {
      await run(name, "readwrite", (store) => void store.clear()).catch(note);
    }
  }

  return Object.assign(self_, { get, set, clear, run });
})();
Object.assign(self, { memory });
