"""What a stand-in saw, in order, with waiting for what is still to come.

In: items from any thread. Out: the items, or an AssertionError listing what was seen. Touches: nothing.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Record(Generic[T]):
    """A list that only grows and that tests can wait on."""

    def __init__(self, of: str) -> None:
        self._of = of
        self._items: list[T] = []
        self._grown = threading.Condition()

    def add(self, item: T) -> None:
        """Append one item and wake whoever waits."""
        with self._grown:
            self._items.append(item)
            self._grown.notify_all()

    def mark(self) -> int:
        """Return a position: what is added from now on comes after it."""
        with self._grown:
            return len(self._items)

    def since(self, mark: int = 0) -> list[T]:
        """Return what was added after a mark."""
        with self._grown:
            return self._items[mark:]

    def wait_for(self, wanted: Callable[[T], bool], *, after: int = 0, timeout_seconds: float = 20) -> T:
        """Return the first wanted item after the mark, waiting for it if it has not come yet.

        Raises AssertionError with everything seen since the mark when it does not come in time.
        """
        deadline = time.monotonic() + timeout_seconds
        with self._grown:
            position = after
            while True:
                for item in self._items[position:]:
                    if wanted(item):
                        return item
                position = max(after, len(self._items))
                if not self._grown.wait(deadline - time.monotonic()):
                    seen = "\n  ".join(map(repr, self._items[after:])) or "nothing"
                    raise AssertionError(f"no such {self._of} within {timeout_seconds} s; seen:\n  {seen}")


def wait_until(truth: Callable[[], bool], what: str, *, timeout_seconds: float = 20) -> None:
    """Poll until something is true, for what no event announces.

    Raises AssertionError naming `what` when it does not come true in time.
    """
    deadline = time.monotonic() + timeout_seconds
    while not truth():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds} s: {what}")
        time.sleep(0.02)
