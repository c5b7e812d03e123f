// A worker that takes over while the one before it is at work can cost a push, in Chromium even the subscription.
// So the one at work says so, and the new one waits for a moment of silence.

const SAYS_EVERY_MS = 400;
const SILENCE_MS = 1_000;
const WAITS_AT_MOST_MS = 30_000; // under pushes that never end it has to take over somehow

const atWork = new BroadcastChannel("taskbell-worker");

/**
 * Lets a newer worker hear that this one is at work, until the work is done.
 * @template T
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
function heard(work) {
  const say = () => atWork.postMessage(null);
  const saying = setInterval(say, SAYS_EVERY_MS);
  say();
  return work.finally(() => (clearInterval(saying), say()));
}

/** Waits until the worker before this one, if there is any, has been silent for a while. @returns {Promise<void>} */
function silence() {
  if (!scope.registration.active) return Promise.resolve();
  const waitsUntil = Date.now() + WAITS_AT_MOST_MS;
  return new Promise((resolve) => {
    let waiting = setTimeout(resolve, SILENCE_MS);
    atWork.onmessage = () => {
      if (Date.now() > waitsUntil) return;
      clearTimeout(waiting);
      waiting = setTimeout(resolve, SILENCE_MS);
    };
  });
}
