"""How many requests may be held open at once, for all and for one user.

A held request occupies a thread of the server for up to 25 s. In: a user id. Out: a place, or none.
Touches nothing.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class HeldRequests:
    """Places for held requests; whoever finds none is answered at once."""

    def __init__(self, places: int, places_of_one_user: int = 4) -> None:
        self._places = places
        self._places_of_one_user = places_of_one_user
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    @contextmanager
    def place(self, user_id: str) -> Iterator[bool]:
        """Take a place while the block runs; yields False if there is none."""
        admitted = self._enter(user_id)
        try:
            yield admitted
        finally:
            if admitted:
                self._leave(user_id)

    @property
    def count(self) -> int:
        """How many are held now."""
        return self._held.total()

    def _enter(self, user_id: str) -> bool:
        with self._lock:
            if self._held.total() >= self._places or self._held[user_id] >= self._places_of_one_user:
                return False
            self._held[user_id] += 1
            return True

    def _leave(self, user_id: str) -> None:
        with self._lock:
            self._held[user_id] -= 1
            self._held += Counter()  # drops those at zero
