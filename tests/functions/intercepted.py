"""A gateway with a story in between: it hears each question, may refuse it, ask it twice or lose its answer.

In: a real gateway. Out: the same gateway, as far as the story lets it. Touches what the real one touches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from taskbell.gateway import Gateway, InboxChanges
from taskbell.model import Json, User

Ask = Callable[[], Json]
Intercept = Callable[[str, Mapping[str, Json], Ask], Json]
"""Given a function's name without `taskbell_`, its parameters, and what passes the question on: an answer."""


class Intercepted:
    """A gateway whose every question `intercept` answers; nobody waits for changes through it."""

    def __init__(self, gateway: Gateway, intercept: Intercept) -> None:
        self._gateway = gateway
        self._intercept = intercept

    @property
    def inbox_changes(self) -> InboxChanges | None:
        return None

    def rpc(
        self,
        name: str,
        params: Mapping[str, Json],
        as_user: User | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> Json:
        def ask() -> Json:
            return self._gateway.rpc(name, params, as_user, timeout_seconds=timeout_seconds)

        return self._intercept(name.removeprefix("taskbell_"), params, ask)

    def close(self) -> None:
        """Leave the real one open."""
