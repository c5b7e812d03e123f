"""GET /v1/health and /healthz: alive, database reachable, keys present, and what time it is here.

In: nothing. Out: yes or no, with no value of any setting. Touches the database at most once a second, however
often it is asked: these routes have no other limit. Probes know /healthz; from outside ask for /v1/health, as
Cloud Run keeps paths that end in z for itself (cloud.google.com/run/docs/known-issues).
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from taskbell.api.route import Access, Answer, Call, Route
from taskbell.api.shapes import Answered, Timestamp
from taskbell.errors import GatewayError
from taskbell.gateway import Gateway
from taskbell.settings import Settings

ANSWER_SECONDS = 1.0
PATIENCE_SECONDS = 3.0


class Keys(Answered):
    """Which keys there are; never what they are."""

    vapid: bool
    webhook: bool


class Health(Answered):
    """How this instance is."""

    ok: bool
    database: bool = Field(description="Whether the database answers.")
    migration: str | None = Field(description="The newest migration that was applied.")
    keys: Keys
    now: Timestamp | None = Field(default=None, description="This instance's clock.")


class _Memory:
    """The last answer, for a second, made by one thread at a time."""

    def __init__(self, ask: Callable[[], Health], now: Callable[[], float]) -> None:
        self._ask = ask
        self._now = now
        self._lock = threading.Lock()
        self._last: tuple[float, Health] | None = None

    def health(self) -> Health:
        with self._lock:
            if self._last is None or self._now() - self._last[0] >= ANSWER_SECONDS:
                health = self._ask()
                self._last = (self._now(), health)
            return self._last[1]


def routes(
    settings: Settings, gateway: Gateway, now: Callable[[], float] = time.monotonic
) -> list[Route[Any]]:
    """Return the routes of this resource."""
    keys = Keys(
        vapid=bool(settings.vapid_private_keys),
        webhook=bool(settings.webhook_secrets),
    )

    def ask() -> Health:
        try:
            found = gateway.rpc("taskbell_health", {}, timeout_seconds=PATIENCE_SECONDS)
        except GatewayError as error:
            return Health(ok=False, database=not error.temporary, migration=None, keys=keys)
        told = found if isinstance(found, dict) else {}
        migration = told.get("migration")
        return Health(
            ok=told.get("ok") is True,
            database=True,
            migration=migration if isinstance(migration, str) else None,
            keys=keys,
        )

    memory = _Memory(ask, now)

    def read_health(_: Call[None]) -> Answer:
        health = memory.health().model_copy(update={"now": datetime.now(UTC).isoformat()})
        return Answer(health, status=200 if health.ok else 503)

    def probe_health(call: Call[None]) -> Answer:
        return read_health(call)

    return [
        Route(
            method="GET",
            path=path,
            summary="Tell whether this instance can work.",
            handler=handler,
            access=Access.PUBLIC,
            answers={200: Health, 503: Health},
        )
        for path, handler in {"/v1/health": read_health, "/healthz": probe_health}.items()
    ]
