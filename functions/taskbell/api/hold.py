"""How many requests may be held open at once, for all and for one user.

A held request occupies a thread of the server for up to 25 s, even if its page has long been closed: nobody
tells. In: a user id. Out: a place, or none. Touches nothing.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

MOST_PLACES = 900
"""Gunicorn, which serves us, takes 1,000 connections at once, however many threads it has: held requests
leave some of them to the others."""


class Place:
    """What a request was given; `lost` becomes true when a newer request of the same user takes it over."""

    def __init__(self, *, admitted: bool, took_over: bool) -> None:
        self.admitted = admitted
        self.took_over = took_over
        self.lost = False


class HeldRequests:
    """Places for held requests; whoever finds none is answered at once.

    The newest request of a user who may have no more takes over that user's oldest place, which may belong to
    a page that is gone. Nobody takes over a place of somebody else's.
    """

    def __init__(self, places: int, places_of_one_user: int = 4) -> None:
        self._places = min(places, MOST_PLACES)
        self._places_of_one_user = places_of_one_user
        self._lock = threading.Lock()
        self._held: dict[str, deque[Place]] = {}
        self._count = 0

    @contextmanager
    def place(self, user_id: str) -> Iterator[Place]:
        """Take a place while the block runs; whoever `took_over` one has to wake the loser, who waits."""
        place = self._enter(user_id)
        try:
            yield place
        finally:
            self._leave(user_id, place)

    @property
    def count(self) -> int:
        """How many are held now."""
        return self._count

    def _enter(self, user_id: str) -> Place:
        with self._lock:
            mine = self._held.get(user_id, deque())
            room = self._count < self._places and len(mine) < self._places_of_one_user
            if not room and not mine:
                return Place(admitted=False, took_over=False)
            if room:
                self._count += 1
            else:
                mine.popleft().lost = True
            place = Place(admitted=True, took_over=not room)
            mine.append(place)
            self._held[user_id] = mine
            return place

    def _leave(self, user_id: str, place: Place) -> None:
        with self._lock:
            if not place.admitted or place.lost:
                return  # it had none, or whoever took it over has it
            mine = self._held[user_id]
            mine.remove(place)
            self._count -= 1
            if not mine:
                del self._held[user_id]
