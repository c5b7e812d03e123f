// Several tabs, one connection. The tab that was looked at last leads: it holds a lock and runs the ladder;
// the others listen. A visible tab takes the lead at once (a hidden one may be frozen); when a leader leaves, the next
// in line takes over. Without Web Locks each tab leads itself.

/**
 * @param {object} part
 * @param {(signal: AbortSignal) => void} part.lead runs until the signal aborts
 * @param {(message: TabMessage) => void} part.hear what another tab tells
 * @returns {{tell: (message: TabMessage) => void, leads: () => boolean, leave: () => void}}
 */
export function joinTabs({ lead, hear }) {
  const LOCK = "taskbell-updates";
  const channel = "BroadcastChannel" in self ? new BroadcastChannel("taskbell") : null;
  /** @type {AbortController | null} */
  let leading = null;
  /** @type {AbortController | null} */
  let waiting = null;
  let left = false;

  function begin() {
    leading?.abort();
    leading = new AbortController();
    lead(leading.signal);
    return leading.signal;
  }

  /** Waits in line, or takes the lead; ends when it is taken from us or we leave. @param {boolean} steal */
  async function contend(steal) {
    waiting?.abort();
    const line = (waiting = new AbortController());
    /** @type {AbortSignal | undefined} */
    let ours;
    try {
      await navigator.locks.request(LOCK, steal ? { steal } : { signal: line.signal }, () => {
        const signal = (ours = begin());
        return new Promise((resolve) => signal.addEventListener("abort", resolve));
      });
    } catch (error) {
      // Stolen by a tab that is looked at, or we stopped waiting in line. Anything else: a browser that lets us keep
      // nothing has no locks for us either, and each tab is on its own.
      if (/** @type {any} */ (error)?.name !== "AbortError") return void (left || leading || begin());
    }
    if (ours && leading?.signal === ours) {
      leading.abort();
      leading = null;
    }
    if (!left && waiting === line) void contend(false);
  }

  function onVisible() {
    if (!document.hidden && !leading) void contend(true);
  }

  if (navigator.locks) {
    document.addEventListener("visibilitychange", onVisible);
    void contend(!document.hidden);
  } else begin();
  if (channel) channel.onmessage = ({ data }) => hear(data);

  return {
    tell: (message) => channel?.postMessage(message),
    leads: () => leading !== null,
    leave() {
      left = true;
      document.removeEventListener("visibilitychange", onVisible);
      waiting?.abort();
      leading?.abort();
      channel?.close();
    },
  };
}
