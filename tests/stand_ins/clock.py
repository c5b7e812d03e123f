"""A clock that stands still until a story moves it."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Time = TypeVar("Time")


@dataclass
class Clock(Generic[Time]):
    """Shows what it is set to: seconds as a number, or a datetime."""

    now: Time

    def __call__(self) -> Time:
        return self.now
