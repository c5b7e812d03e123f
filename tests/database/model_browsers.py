"""Browsers and their push services, in memory: they answer by mood and remember every push.

In: messages. Out: responses, and a record of what arrived when. Touches nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taskbell.push import PushMessage, PushResponse

MOODS = {
    "good": PushResponse(201),
    "busy": PushResponse(503),
    "throttled": PushResponse(429, retry_after="20"),
    "gone": PushResponse(410),
    "strict": PushResponse(400),
    "suspicious": PushResponse(403),
    "mute": PushResponse(None, error="timeout"),
}
"""How a push service answers; a mute one takes the push and says nothing."""

TAKES = {"good", "mute"}


@dataclass
class Push:
    """One push that a browser got; `settled_at` is when the database was told, if it was."""

    endpoint: str
    event_id: int
    delivery_id: int
    tag: str
    topic: str | None
    arrived_at: datetime
    answered: bool
    leased_until: datetime | None = None
    settled_at: datetime | None = None

    @property
    def may_come_again(self) -> bool:
        """Whether its sender was not told, or died or dozed between send and settle."""
        return (
            not self.answered
            or self.settled_at is None
            or self.leased_until is None
            or (self.settled_at >= self.leased_until)
        )


@dataclass
class Browsers:
    """All browsers; `moods` by endpoint, good unless named."""

    clock: Callable[[], datetime]
    moods: dict[str, str] = field(default_factory=dict)
    ever: dict[str, set[str]] = field(default_factory=dict)
    pushes: list[Push] = field(default_factory=list)

    def turn(self, endpoint: str, mood: str) -> None:
        """Change an endpoint's mood."""
        self.moods[endpoint] = mood
        self.ever.setdefault(endpoint, set()).add(mood)

    def send(self, messages: Sequence[PushMessage], *, budget_seconds: float) -> list[PushResponse]:
        """Answer all, in order."""
        assert budget_seconds > 0
        self.pushes += [push for message in messages if (push := self._arrive(message))]
        return [MOODS[self.moods.get(message.endpoint, "good")] for message in messages]

    def _arrive(self, message: PushMessage) -> Push | None:
        mood = self.moods.get(message.endpoint, "good")
        if mood not in TAKES:
            return None
        notification: dict[str, Any] = json.loads(message.payload)["notification"]
        data = notification["data"]
        return Push(
            message.endpoint,
            data["event_id"],
            int(data["delivery"]),
            notification["tag"],
            message.topic,
            self.clock(),
            answered=mood == "good",
        )
