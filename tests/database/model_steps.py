"""What can happen next, as hypothesis chooses it.

In: nothing. Out: steps. Pure. One strategy makes them all: of many rules hypothesis would leave out some for
a whole run, and a life needs every one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from tests.database.model_browsers import MOODS

StatusChange = Literal["status", "finish", "add", "move", "touch", "delete", "bring back", "tell"]
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

_statuses = st.lists(
    st.sampled_from(["completed", "failed", "completed", "failed", "in_progress", "pending"]),
    min_size=1,
    max_size=3,
)
_changes = st.builds(
    Change,
    what=st.sampled_from(
        [
            "add",
            "status",
            "add",
            "status",
            "status",
            "finish",
            "move",
            "touch",
            "delete",
            "bring back",
            "tell",
        ]
    ),
    which=st.integers(0, 20),
    person=st.integers(0, 1),
    contact=st.sampled_from([0, 0, 1, 1, 2, 3]),
    agent=st.integers(0, 1),
    statuses=_statuses,
)
_work = st.builds(
    Work,
    what=st.sampled_from(["start", "go", "send", "land", "dispatch", "die", "go", "send"]),
    which=st.integers(0, 2),
    batch=st.sampled_from([100, 100, 2, 1]),
)
_lives = st.builds(
    Live,
    what=st.sampled_from(["look", "mood", "subscribe", "unsubscribe"]),
    which=st.integers(0, 20),
    person=st.integers(0, 1),
    contact=st.integers(0, 1),
    mood=st.sampled_from(["mute", *sorted(MOODS)]),
)
_waits = st.builds(Wait, seconds=st.sampled_from([1, 14, 31, 61, 600, 3600]))

STEPS: st.SearchStrategy[Step] = st.one_of(
    _changes, _changes, _changes, _work, _work, _work, _work, _lives, _waits, _changes
)
