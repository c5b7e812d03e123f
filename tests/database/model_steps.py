"""What can happen next, as hypothesis chooses it.

In: nothing. Out: steps. Pure. One strategy makes them all: of many rules hypothesis would leave out some for
a whole run, and a life needs every one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from hypothesis import strategies as st

from tests.database.model_browsers import MOODS

T = TypeVar("T")
PASSING_MOODS = {"good", "busy", "throttled", "mute"}

StatusChange = Literal["status", "finish", "add", "move", "touch", "reword", "delete", "bring back", "tell"]
Working = Literal["start", "dispatch", "land", "send", "go", "die"]
Living = Literal["look", "mood", "subscribe", "unsubscribe"]


@dataclass(frozen=True)
class Change:
    """An agent does something to a task: new statuses in one transaction, another contact, and so on."""

    what: StatusChange
    which: int
    person: int
    contact: int  # two of one's own, a stranger's, none
    agent: int
    statuses: list[str]


@dataclass(frozen=True)
class Work:
    """A webhook comes in, on time or late or twice; a dispatcher goes on, or dies."""

    what: Working
    which: int
    batch: int


@dataclass(frozen=True)
class Live:
    """Somebody looks at a contact; a browser comes, goes, or changes its push service's mood."""

    what: Living
    which: int
    person: int
    contact: int
    mood: str


@dataclass(frozen=True)
class Wait:
    """Time passes; leases end, retries fall due."""

    seconds: int


Step = Change | Work | Live | Wait


def _often(weights: Mapping[T, int]) -> st.SearchStrategy[T]:
    return st.sampled_from([what for what, weight in weights.items() for _ in range(weight)])


# Most of it about one contact and one agent, so that things get in each other's way.
_changes = st.builds(
    Change,
    what=_often(
        {
            "add": 3,
            "status": 5,
            "reword": 2,
            "finish": 1,
            "move": 1,
            "touch": 1,
            "delete": 2,
            "bring back": 1,
            "tell": 1,
        }
    ),
    which=st.integers(0, 20),
    person=_often({0: 3, 1: 1}),
    contact=_often({0: 4, 1: 1, 2: 1, 3: 1}),
    agent=_often({0: 4, 1: 1}),
    statuses=st.lists(
        _often({"completed": 2, "failed": 2, "in_progress": 1, "pending": 1}), min_size=1, max_size=3
    ),
)
_work = st.builds(
    Work,
    what=_often({"start": 2, "go": 4, "send": 3, "land": 2, "dispatch": 2, "die": 1}),
    which=st.integers(0, 2),
    batch=_often({100: 3, 1: 2, 2: 1}),
)
_lives = st.builds(
    Live,
    what=_often({"look": 3, "mood": 4, "subscribe": 1, "unsubscribe": 1}),
    which=st.integers(0, 3),
    person=_often({0: 3, 1: 1}),
    contact=_often({0: 3, 1: 1}),
    mood=_often({mood: 3 if mood in PASSING_MOODS else 1 for mood in MOODS}),
)
_waits = st.builds(Wait, seconds=_often({1: 1, 14: 1, 20: 3, 31: 3, 61: 1, 600: 1, 3600: 1}))

STEPS: st.SearchStrategy[Step] = st.one_of(_changes, _work, _changes, _work, _lives, _work, _waits, _work)
