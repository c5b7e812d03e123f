"""The gateway through Supabase: database functions over PostgREST, with the official client.

In: a function's name and JSON. Out: JSON. Touches the project's REST address over HTTP/1.1. The service's
calls carry the secret key; a user's carry the user's own token, so that row level security applies.

Of supabase-py only `postgrest` is loaded, the part that calls functions: what stands beside it in a `Client`
(auth, storage, realtime, edge functions) took a quarter of a cold start.
"""

import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any, cast

import httpx
from postgrest import SyncPostgrestClient
from postgrest.exceptions import APIError

from taskbell.errors import GatewayError
from taskbell.gateway import InboxChanges
from taskbell.gateway.deadline import BoundedTransport, Patience
from taskbell.gateway.refusal import refused, unavailable
from taskbell.model import Json, User

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 5.0
TRIES = 2
"""How often a call is made when the connection fails under it: all functions are idempotent."""


class SupabaseGateway:
    """Calls database functions with supabase-py's REST client; safe for many threads and after a fork.

    `url` is the project's, `secret_key` an `sb_secret_…` (or legacy service_role) key.
    """

    def __init__(self, url: str, secret_key: str) -> None:
        self._url = url
        self._key = secret_key
        self._lock = threading.Lock()
        self._client: SyncPostgrestClient | None = None
        self._http: httpx.Client | None = None
        self._pid = 0
        self._patience = Patience()

    @property
    def inbox_changes(self) -> InboxChanges | None:
        """None: PostgREST cannot notify; pages listen to Realtime instead."""
        return None

    def rpc(
        self,
        name: str,
        params: Mapping[str, Json],
        as_user: User | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> Json:
        """Return what `public.<name>` answers; see `Gateway.rpc`."""
        ends_at = time.monotonic() + min(timeout_seconds or TOTAL_SECONDS, TOTAL_SECONDS)
        self._patience.ends_at = ends_at
        for attempt in range(1, TRIES + 1):
            try:
                return self._once(name, params, as_user)
            except APIError as error:
                raise refused(name, error.code) from error
            except httpx.TransportError as error:
                if attempt == TRIES or isinstance(error, httpx.ReadTimeout) or time.monotonic() >= ends_at:
                    raise unavailable(f"{name} got no answer") from error
            except ValueError as error:
                raise GatewayError("database_refused", f"The parameters of {name} are no JSON.") from error
        raise unavailable(f"{name} got no answer")

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            http, self._http, self._client = self._http, None, None
        if http is not None and self._pid == os.getpid():
            http.close()

    def _once(self, name: str, params: Mapping[str, Json], as_user: User | None) -> Json:
        # schema() makes a client of its own that shares the connections: auth() on it touches nobody else.
        rest = self._connected().schema("public")
        if as_user is not None:
            rest = rest.auth(as_user.token)
        json.dumps(dict(params), allow_nan=False)  # httpx would send NaN
        arguments = cast("dict[str, Any]", dict(params))  # its own annotation knows only text
        return cast("Json", rest.rpc(name, arguments).execute().data)

    def _connected(self) -> SyncPostgrestClient:
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                # The client's own default speaks HTTP/2 over one connection, which threads must not share.
                limits = httpx.Limits(max_connections=50, max_keepalive_connections=20)
                self._http = httpx.Client(
                    transport=BoundedTransport(self._patience, limits),
                    timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
                    event_hooks={"request": [self._bound]},
                )
                self._client = SyncPostgrestClient(
                    f"{self._url}/rest/v1",
                    headers={"apikey": self._key, "Authorization": f"Bearer {self._key}"},
                    http_client=self._http,
                    retry_enabled=False,
                )
                self._pid = os.getpid()
            return self._client

    def _bound(self, request: httpx.Request) -> None:
        """Give a request no more time than its caller has left; the client has no way to pass that on."""
        left = max(0.05, self._patience.ends_at - time.monotonic())
        request.extensions["timeout"] = {
            "connect": min(left, CONNECT_SECONDS),
            "read": left,
            "write": left,
            "pool": min(left, CONNECT_SECONDS),
        }
