// Who is signed in. In: /v1/config, Supabase Auth over REST. Out: a bearer token for /v1.
// Read by the page (import) and by the worker (importScripts): it offers the global `session` and needs `memory`.
// The embedded stack hands out a demo token; elsewhere it is a Supabase session, kept in IndexedDB and refreshed
// by one tab or worker at a time, because a refresh token is good for one use. Signing in and out is in signing.js.

const session = (() => {
  const MARGIN_MS = 60_000;
  const TIMEOUT_MS = 15_000; // all tabs wait for the one that renews
  /** @type {Promise<Config> | null} */
  let reading = null;
  /** @type {TokenSource | null} */
  let provided = null;

  /** Nobody is signed in, or the session cannot be renewed. */
  class SignedOut extends Error {}

  /** @returns {never} */
  function signedOut() {
    throw new SignedOut();
  }

  /**
   * The server's configuration; the last known one where the server is out of reach.
   * @param {boolean} [fresh] ask again even if it was read before
   * @returns {Promise<Config>}
   */
  function config(fresh = false) {
    if (fresh) reading = null;
    reading ??= readConfig();
    reading.catch(() => (reading = null));
    return reading;
  }

  async function readConfig() {
    try {
      const response = await fetch("/v1/config", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok) throw new Error(`config ${response.status}`);
      const answer = await response.json();
      void memory.set("config", answer);
      return answer;
    } catch (error) {
      const known = await memory.get("config");
      if (!known) throw error;
      reading = null; // good enough for now; ask again next time
      return known;
    }
  }

  /**
   * @param {Config} server
   * @param {string} path below /auth/v1/
   * @param {object} body
   */
  function auth(server, path, body) {
    if (!server.supabase_url) throw new SignedOut();
    return fetch(`${server.supabase_url}/auth/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", apikey: server.supabase_publishable_key ?? "" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  }

  /** @param {{access_token: string, refresh_token: string, expires_in: number | string}} answer */
  async function keep(answer) {
    /** @type {StoredSession} */
    const stored = {
      access_token: answer.access_token,
      refresh_token: answer.refresh_token,
      expires_at_ms: Date.now() + Number(answer.expires_in) * 1000,
    };
    await memory.set("session", stored);
    await memory.set("asked-link", undefined);
    return stored.access_token;
  }

  /**
   * @param {Config} server
   * @param {string | null} refused the access token that was refused, or null if it merely runs out
   */
  async function refresh(server, refused) {
    const locked =
      navigator.locks?.request.bind(navigator.locks) ?? ((/** @type {string} */ _, /** @type {any} */ work) => work());
    return locked("taskbell-session", async () => {
      /** @type {StoredSession | undefined} */
      const stored = await memory.get("session");
      if (!stored) throw new SignedOut();
      // Another tab may have renewed it while we waited for the lock.
      if (stored.access_token !== refused && stored.expires_at_ms - Date.now() > MARGIN_MS) return stored.access_token;
      const response = await auth(server, "token?grant_type=refresh_token", { refresh_token: stored.refresh_token });
      if (response.ok) return keep(await response.json());
      if (response.status >= 500 || response.status === 429) throw new Error(`auth ${response.status}`);
      await memory.set("session", undefined);
      throw new SignedOut();
    });
  }

  /** A token that is good for at least a minute. @returns {Promise<string>} @throws {SignedOut} */
  async function token() {
    if (provided) return (await provided()) || signedOut();
    const server = await config();
    if (server.demo_token) return server.demo_token;
    /** @type {StoredSession | undefined} */
    const stored = await memory.get("session");
    if (!stored) throw new SignedOut();
    return stored.expires_at_ms - Date.now() > MARGIN_MS ? stored.access_token : refresh(server, null);
  }

  /** Another token in place of one that /v1 refused. @param {string} refused @throws {SignedOut} */
  async function renew(refused) {
    if (provided) {
      const other = await token();
      return other === refused ? signedOut() : other;
    }
    const server = await config(true);
    if (!server.demo_token) return refresh(server, refused);
    if (server.demo_token === refused) throw new SignedOut();
    return server.demo_token;
  }

  /** Another app keeps the session, and hands out its access token, if it has one. @param {TokenSource} source */
  const provide = (source) => void (provided = source);

  /** The user's id in a token; '' if it is none. @param {string} jwt */
  function userOf(jwt) {
    try {
      return String(JSON.parse(atob(jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub ?? "");
    } catch {
      return "";
    }
  }

  return { SignedOut, config, token, renew, provide, userOf, auth, keep };
})();
Object.assign(self, { session });
