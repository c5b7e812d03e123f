// One channel of Supabase Realtime, through the official client, which is loaded here and nowhere else
// (/vendor/realtime.js, made by `taskbell page`). In: a topic, and a signal that ends it. Out: what is heard on it.

/**
 * What is used of the client.
 * @typedef {object} Channel
 * @property {(type: "broadcast", filter: {event: string}, heard: (message: {payload?: unknown}) => void) => Channel} on
 * @property {(told: (status: string) => void, timeoutMs: number) => Channel} subscribe
 * @typedef {object} Client
 * @property {(topic: string, params: object) => Channel} channel
 * @property {() => Channel[]} getChannels
 * @property {() => Promise<void>} setAuth
 * @property {(channel: Channel) => Promise<unknown>} removeChannel
 * @property {() => Promise<unknown>} disconnect
 */

const CLIENT = "/vendor/realtime.js";
const JOIN_MS = 5_000;

/** The client is not served here, or out of reach just now. */
export class NoClient extends Error {}

/** One for the whole visit: each one listens to the window for good. @type {Client | null} */
let client = null;
/** Resolves when the last socket is closed. @type {Promise<unknown>} */
let closed = Promise.resolve();
/** Whoever has to know that the session is over. @type {(error: unknown) => void} */
let onSignedOut = () => {};

/** @param {Config} config @returns {Promise<Client>} */
async function load(config) {
  const { RealtimeClient } = await import(CLIENT);
  return new RealtimeClient(`${config.supabase_url}/realtime/v1`, {
    params: { apikey: config.supabase_publishable_key },
    // Asked again with every heartbeat, every 25 s: a token that runs out is renewed in time.
    accessToken: () =>
      session.token().catch((/** @type {unknown} */ error) => {
        if (error instanceof session.SignedOut) onSignedOut(error);
        throw error;
      }),
    // A page that the browser had put aside opens its socket again when it returns, wanted or not.
    heartbeatCallback: () => void (client?.getChannels().length || client?.disconnect()),
  });
}

/**
 * Joins a private channel; it is left, and its socket closed, as soon as `alive` aborts: by then the page may be going.
 * @param {Config} config
 * @param {string} topic
 * @param {AbortSignal} alive
 * @param {object} on
 * @param {(payload: any) => void} on.heard a broadcast "inbox"
 * @param {() => void} on.joined also when it is joined again
 * @param {(error?: unknown) => void} on.broken refused, cut, too late, closed; with an error: the session is over
 * @throws {NoClient}
 */
export async function joinChannel(config, topic, alive, { heard, joined, broken }) {
  try {
    client ??= await load(config);
  } catch {
    throw new NoClient();
  }
  onSignedOut = broken;
  await closed;
  await client.setAuth();
  if (alive.aborted) return;
  const realtime = client;
  const channel = realtime.channel(topic, { config: { private: true } });
  alive.addEventListener("abort", () => {
    void realtime.removeChannel(channel);
    closed = realtime.disconnect();
  });
  channel.on("broadcast", { event: "inbox" }, ({ payload }) => heard(payload));
  channel.subscribe((status) => (status === "SUBSCRIBED" ? joined() : broken()), JOIN_MS);
}
