"""One run of the dispatcher, stopped before and after each of its questions, to go on or to die there.

In: commands. Out: where it stands. It is the real dispatcher, in a thread that runs only while a command is
carried out, so that any interleaving of many of them can be played, again and again.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from taskbell.gateway import InboxChanges
from taskbell.model import Json, User
from taskbell.notify.deliver import Pushes
from taskbell.notify.dispatch import Dispatcher
from taskbell.push import PushMessage, PushResponse
from tests.database.database import Database
from tests.database.model_browsers import Push

SECRET = "whsec_YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcyBvayE="
LEASE_SECONDS = 30
BUDGET_SECONDS = 3600.0  # real ones, of which a test may need many
PAST = {"claim": "claimed", "apply": "applied", "settle": "settled"}

Command = Literal["go", "die"]


class Killed(BaseException):
    """What a SIGKILL is to a process: nothing of ours catches it."""


class Flight:
    """A dispatcher at work; `at` says where it stands, and is empty when it is over.

    It stands before and after each question: `claim` and `claimed`, `apply` and `applied`, `settle` and
    `settled`. What it sends it sends in going on from `claimed` or `applied`: from there to the network is no
    time to doze in. `saw` is what `look` returned when each event was claimed.
    """

    def __init__(
        self,
        database: Database,
        pushes: Pushes,
        *,
        clock: Callable[[], datetime],
        batch: int,
        look: Callable[[], frozenset[str]],
    ) -> None:
        self._database, self._pushes, self._look = database, pushes, look
        self._dispatcher = Dispatcher(
            self,
            self,
            public_url="https://bell.example",
            secrets=[SECRET],
            clock=clock,
            chance=lambda: 0.5,
            batch=batch,
            ahead=0,  # what runs ahead is another flight's
            lease_seconds=LEASE_SECONDS,
        )
        self.saw: dict[int, frozenset[str]] = {}
        self.claimed_at = clock()
        self._clock = clock
        self.pushes: list[Push] = []
        self._error: BaseException | None = None
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._places: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="flight", daemon=True)
        self._thread.start()
        self.at = self._places.get(timeout=60)

    def step(self, command: Command = "go") -> None:
        """Go on to the next place, or die; raises what the dispatcher raised."""
        self._commands.put(command)
        self.at = self._places.get(timeout=60)
        if not self.at:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def land(self) -> None:
        """Take all steps that are left."""
        while self.at:
            self.step()

    # What the dispatcher sees: a gateway and a sender.

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
    ) -> Any:
        assert as_user is None
        assert timeout_seconds is not None
        place = name.removeprefix("taskbell_")
        self._stop_at(place)
        answer = self._database.rpc(name, **params)
        if place == "claim":
            self.claimed_at = self._clock()
            self.saw |= {event["id"]: self._look() for event in answer["events"]}
        self._stop_at(PAST[place])
        return answer

    def send(self, messages: Sequence[PushMessage], *, budget_seconds: float) -> list[PushResponse]:
        return self._pushes.send(messages, budget_seconds=budget_seconds)

    def close(self) -> None:
        """Nothing of it is open."""

    def _run(self) -> None:
        try:
            self._dispatcher.run(BUDGET_SECONDS)
        except Killed:
            pass
        except BaseException as error:  # raised where it can be seen
            self._error = error
        self._places.put("")

    def _stop_at(self, place: str) -> None:
        self._places.put(place)
        if self._commands.get() == "die":
            raise Killed
