"""The one way to the database: every read and write is an SQL function that takes and returns JSON.

Two implementations keep the same promises (one conformance suite runs on both): `gateway.supabase` over
PostgREST, `gateway.postgres` straight to Postgres. A deployment imports the one that it
uses, when it starts, so that no request pays for it.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from taskbell.model import Json, User


class InboxChanges(Protocol):
    """Waits for changes of a user's inbox; there only where the database can notify."""

    def wait(self, user_id: str, changed: Callable[[], bool], timeout_seconds: float) -> bool:
        """Return True as soon as `changed()` does, asked at once and after each change; else False."""
        ...

    def wake(self, user_id: str) -> None:
        """Let whoever waits for this user ask again at once."""
        ...


class Gateway(Protocol):
    """Calls a database function."""

    @property
    def inbox_changes(self) -> InboxChanges | None:
        """What waits for changes, or None where nothing can."""
        ...

    def rpc(
        self,
        name: str,
        params: Mapping[str, Json],
        as_user: User | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> Json:
        """Return what the function `public.<name>` answers to `params`.

        Runs as the service, or as `as_user` under row level security. Raises GatewayError
        (`database_unavailable`, `database_refused`). May ask twice when a connection breaks: every function
        is idempotent. `timeout_seconds` bounds a caller's patience below the gateway's own limit.
        """
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...
