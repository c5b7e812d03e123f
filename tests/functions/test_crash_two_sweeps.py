"""Sweeps in several processes at once share the work, and none of it is done twice."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator

import pytest
from psycopg.types.json import Jsonb

from tests.functions.crash_account import tally
from tests.functions.crash_stage import BROWSERS_EACH, PEOPLE, Stage, stage
from tests.functions.crash_sweeper import Sweeper
from tests.stand_ins.record import wait_until

TASKS = int(os.environ.get("TWO_SWEEPS_TASKS", "300"))
"""Tasks that end at once: more than one sweep claims at a time."""

ADD = "insert into public.agent_tasks (user_id, agent_id, status, input_data) values (%s, %s, %s, %s)"

WAITING = """
select count(*)::int from pg_locks
where not granted and locktype = 'relation' and relation = 'taskbell.task_events'::regclass
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def quiet_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage on which nobody sweeps of their own accord."""
    with stage(tmp_path_factory.mktemp("two"), contacts_each=TASKS // PEOPLE) as built:
        built.relay.kill()
        built.function.end()
        yield built


@pytest.fixture
def sweepers(quiet_stage: Stage) -> Iterator[list[Sweeper]]:
    built = [Sweeper(quiet_stage.settings) for _ in range(2)]
    yield built
    for sweeper in built:
        sweeper.stop()


def test_two_sweeps_at_once_share_all_that_is_due(quiet_stage: Stage, sweepers: list[Sweeper]) -> None:
    before = deadlocks(quiet_stage)
    with quiet_stage.connect() as connection:
        for user, contacts in quiet_stage.people.items():
            for contact in contacts:
                connection.execute(ADD, [user, quiet_stage.agent, "failed", Jsonb({"contactId": contact})])
    with quiet_stage.connect() as gate:  # both stand before the same events, and neither is ahead
        gate.execute("lock table taskbell.task_events in access exclusive mode")
        for sweeper in sweepers:
            sweeper.begin()
        wait_until(lambda: quiet_stage.sql(WAITING) == [(2,)], "both sweeps wait for the events")
    counts = [sweeper.end() for sweeper in sweepers]
    assert [0, 0] == [sweeper.stop() for sweeper in sweepers]

    counted, repeats = tally(quiet_stage, 0, quiet_stage.push_service.received)
    assert ([], []) == (counted.lost, repeats)
    assert TASKS == counted.events == counted.accepted == sum(count["events"] for count in counts)
    assert TASKS * BROWSERS_EACH == counted.pushes == sum(count["accepted"] for count in counts)
    assert all(count["events"] for count in counts), "both did some of it"
    assert [(1,)] == quiet_stage.sql("select distinct attempts from taskbell.task_events")
    assert before == deadlocks(quiet_stage)


def test_sweeps_and_writers_on_the_same_tasks_never_lock_each_other_out(
    quiet_stage: Stage, sweepers: list[Sweeper]
) -> None:
    before, mark = deadlocks(quiet_stage), len(quiet_stage.push_service.received)
    [(after,)] = quiet_stage.sql("select max(id) from taskbell.task_events")
    tasks = [
        task for (task,) in quiet_stage.sql("select id::text from public.agent_tasks order by id limit 20")
    ]
    chance = random.Random(TASKS)  # noqa: S311
    with quiet_stage.connect() as connection:
        for number in range(TASKS):
            if number % 30 == 0:
                ended = [sweeper.end() for sweeper in sweepers if number]
                for sweeper in sweepers:
                    sweeper.begin()
                assert all(count["unsettled"] == 0 for count in ended)
            status = chance.choice(["in_progress", "completed", "failed"])
            connection.execute(
                "update public.agent_tasks set status = %s where id = %s", [status, chance.choice(tasks)]
            )
            connection.commit()
    for _, sweeper in itertools.product(range(2), sweepers):
        sweeper.end()
        sweeper.begin()
    for sweeper in sweepers:
        sweeper.end()
        sweeper.stop()

    counted, repeats = tally(quiet_stage, after, quiet_stage.push_service.received[mark:])
    assert ([], [], 0) == (counted.lost, repeats, quiet_stage.unfinished())
    assert counted.accepted
    wrong = quiet_stage.sql(
        "select t.id, t.status, s.status from public.agent_tasks t join taskbell.task_states s"
        " on s.task_id = t.id::text where s.status <> t.status"
    )
    assert [] == wrong
    assert before == deadlocks(quiet_stage)


def deadlocks(stage: Stage) -> int:
    """How many the database has had to break; processes report theirs when they end."""
    [(count,)] = stage.sql("select deadlocks from pg_stat_database where datname = current_database()")
    return int(count)
