"""Who may ask the database now: a few at once, and one who waits, who also looks for all that come meanwhile.

In: threads that want to look for work. Out: whether they should. Touches: nothing but these threads.

A wake-up says only "look now". One that looks after another came serves both; so where wake-ups come faster
than they can be looked at, looks grow larger instead of more, as commits do in a group commit.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

AT_ONCE = 2
"""While one waits for the database, the other decides; more would only wait for each other's rows."""


class Turn(Enum):
    """What came of asking for a turn."""

    MINE = "mine"
    ANOTHERS = "another's"  # somebody looks after now, and finds what I would have found
    NOT_IN_TIME = "not in time"  # and whoever left it to me has nobody


class Turns:
    """Hands out turns; for any number of threads."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._somebody_waits = False
        self._changed = threading.Condition()

    @contextmanager
    def take(self, seconds: float) -> Iterator[Turn]:
        """Wait so many seconds at most for a turn, which lasts until the end of the block."""
        turn = self._ask(seconds)
        try:
            yield turn
        finally:
            if turn is Turn.MINE:
                with self._changed:
                    self._free += 1
                    self._changed.notify()

    def _ask(self, seconds: float) -> Turn:
        with self._changed:
            if self._somebody_waits:
                return Turn.ANOTHERS
            if not self._is_free():
                self._somebody_waits = True
                in_time = self._changed.wait_for(self._is_free, seconds)
                self._somebody_waits = False
                if not in_time:
                    return Turn.NOT_IN_TIME
            self._free -= 1
            return Turn.MINE

    def _is_free(self) -> bool:
        return self._free > 0
