"""All dispatchers at work, step by step, and the browsers that they ring.

In: which of them goes on, or dies. Out: what the memory must know of it. Checks at each push that it may
come. Touches what dispatchers touch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.database.database import Database
from tests.database.model_browsers import Browsers, Push
from tests.database.model_flight import LEASE_SECONDS, Command, Flight
from tests.database.model_people import Memory

AT_ONCE = 3


@dataclass
class Air:
    """Up to three dispatchers at once; `counts` says how much has happened."""

    database: Database
    memory: Memory
    browsers: Browsers
    clock: Callable[[], datetime]
    counts: Counter[str]
    flights: list[Flight] = field(default_factory=list)

    def start(self, batch: int) -> None:
        """A webhook has come in, and nothing is done about it yet."""
        if len(self.flights) < AT_ONCE:
            self.flights.append(self._flight(batch))

    def step(self, flight: Flight, command: Command) -> None:
        """Let one go on, or die."""
        place, known = flight.at, len(self.browsers.pushes)
        flight.step(command)
        self.flights = [each for each in self.flights if each.at]
        if command == "die":
            self.counts["kills"] += 1
        elif place == "apply":
            done = self.database.execute("select id from taskbell.task_events where state = 'done'")
            self.memory.finish({number for (number,) in done} - self.memory.finished, flight.saw)
        elif place == "settle":
            for push in flight.pushes:
                push.settled_at = self.clock()
        elif len(self.browsers.pushes) > known:
            self._sent(flight, known)

    def land(self, flight: Flight) -> None:
        """Let one finish."""
        while flight.at:
            self.step(flight, "go")

    def send(self, flight: Flight) -> None:
        """Let one come to where it would settle."""
        self.step(flight, "go")
        while flight.at not in ("settle", ""):
            self.step(flight, "go")

    def dispatch(self, batch: int) -> None:
        """One from start to end, between two steps of the others."""
        self.land(self._flight(batch))

    def kill_all(self) -> None:
        for flight in list(self.flights):
            self.step(flight, "die")

    def _flight(self, batch: int) -> Flight:
        return Flight(
            self.database,
            self.browsers,
            clock=self.clock,
            batch=batch,
            look=lambda: frozenset(self.memory.drafted),
        )

    def _sent(self, flight: Flight, known: int) -> None:
        before = self.browsers.pushes[:known]
        flight.pushes = self.browsers.pushes[known:]
        for push in flight.pushes:
            self.counts["pushes"] += 1
            push.leased_until = flight.claimed_at + timedelta(seconds=LEASE_SECONDS)
            for earlier in before:
                if (earlier.endpoint, earlier.event_id) == (push.endpoint, push.event_id):
                    self.counts["pushes repeated"] += 1
                    self._may_repeat(earlier, push)

    def _may_repeat(self, first: Push, second: Push) -> None:
        """Only what was perhaps not heard comes again, after its lease, and takes the first's place."""
        assert first.may_come_again, f"{first} was settled, and yet {second}"
        if first.answered and first.settled_at is None and first.leased_until is not None:
            assert second.arrived_at >= first.leased_until, f"{first} was leased, and yet {second}"
        assert (first.tag, first.topic) == (second.tag, second.topic)
