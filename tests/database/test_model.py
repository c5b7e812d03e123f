"""Whatever happens in whatever order, what is shown and what rings follows from the rows' versions alone."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.database.database import Database
from tests.database.model_browsers import Browsers
from tests.database.model_flight import LEASE_SECONDS, Flight
from tests.database.model_machine import Machine
from tests.database.servers import Server
from tests.database.story import Story
from tests.stand_ins.clock import Clock

RUNS = int(os.environ.get("MODEL_RUNS", "30"))
STEPS_EACH = 80


@pytest.mark.slow
def test_any_interleaving_keeps_the_promises(database: Database, each_postgres_server: Server) -> None:
    """In full on the embedded Postgres; on the other one enough to hear of it if it were different there."""
    runs = RUNS if each_postgres_server.name == "embedded" else max(1, RUNS // 3)
    counts: Counter[str] = Counter()
    machine = type("AnyInterleaving", (Machine,), {"database": database, "counts": counts})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS_EACH,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(counts))


def test_a_dispatcher_that_dozes_past_its_lease_sends_nothing_any_more(story: Story) -> None:
    """As where a platform gives a process no time after its answer, and wakes it with the next request."""
    story.subscribe()
    story.new_task("completed")
    clock = Clock(datetime.now(UTC) + timedelta(seconds=5))
    browsers = Browsers(clock)

    def flight() -> Flight:
        return Flight(story.database, browsers, clock=clock, batch=100, look=frozenset)

    dozing = flight()
    while dozing.at != "applied":
        dozing.step()
    clock.now += timedelta(seconds=LEASE_SECONDS + 1)
    flight().land()
    assert ["accepted"] == story.delivery_states()
    dozing.land()
    assert 1 == len(browsers.pushes)
