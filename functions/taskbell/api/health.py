"""GET /healthz: alive, database reachable, keys present.

In: nothing. Out: yes or no, with no value of any setting. Touches the database at most once a second, however
often it is asked: this route has no other limit.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from pydantic import Field

from taskbell.api.route import Access, Answer, Call, Route
from taskbell.api.shapes import Answered
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
        health = memory.health()
        return Answer(health, status=200 if health.ok else 503)

    return [
        Route(
            method="GET",
            path="/healthz",
            summary="Tell whether this instance can work.",
            handler=read_health,
            access=Access.PUBLIC,
            answers={200: Health, 503: Health},
        )
    ]
