"""Where the function process can be killed, exactly, and the trap that does it there once.

In: the point that is armed and how to kill there, and what the stand-ins see pass by. Out: a dead process,
and the fact that it died. Touches nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """Every step between a webhook that comes in and a delivery that is settled, in their order."""

    CONNECT = "connecting to the database"
    RECORD_ASKED = "record: asked"
    RECORD_OPEN = "record: done, not committed"
    RECORD_COMMITTED = "record: committed, not answered"
    CLAIM_ASKED = "claim: asked"
    CLAIM_OPEN = "claim: done, not committed"
    CLAIM_COMMITTED = "claim: committed, not answered"
    APPLY_ASKED = "apply: asked"
    APPLY_OPEN = "apply: done, not committed"
    APPLY_COMMITTED = "apply: committed, not answered"
    PUSH_CONNECT = "push: connecting"
    PUSH_FIRST = "push: the first arrived"
    PUSH_HALF = "push: half arrived, some answered"
    PUSH_ALL = "push: all arrived, none answered"
    SETTLE_ASKED = "settle: asked"
    SETTLE_OPEN = "settle: done, not committed"
    SETTLE_COMMITTED = "settle: committed, not answered"
    SETTLE_ANSWERED = "settle: answered"
    ANY = "any moment"


MAY_REPEAT = frozenset(
    {
        Point.PUSH_FIRST,
        Point.PUSH_HALF,
        Point.PUSH_ALL,
        Point.SETTLE_ASKED,
        Point.SETTLE_OPEN,
        Point.ANY,
    }
)
"""Between send and settle: what arrived there is sent again."""

ALWAYS_REPEATS = frozenset({Point.PUSH_ALL, Point.SETTLE_ASKED, Point.SETTLE_OPEN})
"""Here everything has arrived and nothing is written down: each push of the round comes twice."""


class Trap:
    """Kills at the armed point, once; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: tuple[Point, Callable[[], None]] | None = None
        self.sprung = threading.Event()

    def arm(self, point: Point, kill: Callable[[], None]) -> None:
        """Call `kill`, which returns when the process is dead, as soon as this point is reached."""
        with self._lock:
            self.sprung.clear()
            self._armed = (point, kill)

    def disarm(self) -> None:
        """Kill no more."""
        with self._lock:
            self._armed = None

    def waits_for(self, point: Point) -> bool:
        """Whether this point is armed."""
        armed = self._armed
        return armed is not None and armed[0] is point

    def reached(self, point: Point) -> bool:
        """Kill if this point is armed, and return, once the process is dead, whether it was."""
        with self._lock:
            if self._armed is None or self._armed[0] is not point:
                return False
            _, kill = self._armed
            self._armed = None
            kill()
            self.sprung.set()
            return True
