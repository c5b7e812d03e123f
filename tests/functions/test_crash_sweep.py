"""Whatever dies at whatever instant, every committed change is delivered, or ends where somebody sees it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from tests.database.model_fold import fold
from tests.functions.crash_account import Repeat, Tally, newest_event, table, tally
from tests.functions.crash_rounds import SPRING_SECONDS, end_tasks, play
from tests.functions.crash_stage import Stage, stage
from tests.functions.crash_storm import Storm
from tests.functions.crash_trap import ALWAYS_REPEATS, MAY_REPEAT, Point

KILLS_EACH = int(os.environ.get("CRASH_SWEEP_KILLS", "2"))
"""Kills at each point; 2 take about half a minute on two quiet cores."""

STORM_CHANGES = int(os.environ.get("CRASH_SWEEP_CHANGES", "60"))

MOST_ATTEMPTS = 8
WHOLE_EACH = 7  # starting all of the function again takes far longer than its worker

UNTOLD = """
select s.task_id, s.status, s.reached_event_id
from taskbell.task_states s
where s.status in ('draft_ready', 'completed', 'failed') and not exists (
  select from taskbell.notifications n
  join taskbell.deliveries d on d.notification_id = n.id
  where n.event_id = s.reached_event_id and n.user_id = s.user_id
    and d.state in ('accepted', 'superseded', 'cancelled')
)
"""
"""Tasks that stand at an end of which nobody was told."""

pytestmark = pytest.mark.slow


class Summary:
    """Prints the table at the end of the run."""

    def __init__(self) -> None:
        self.rows: dict[str, Tally] = {}
        self.remarks: list[str] = []

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("crash sweep")
        total = sum(self.rows.values(), start=Tally())
        for line in [*table([*self.rows.items(), ("all", total)]), *self.remarks]:
            terminalreporter.line(line)


@pytest.fixture(scope="module")
def summary(pytestconfig: pytest.Config) -> Summary:
    summary = Summary()
    pytestconfig.pluginmanager.register(summary)
    return summary


@pytest.fixture(scope="module")
def crash_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("crash")) as built:
        yield built


@pytest.mark.parametrize("point", Point, ids=lambda point: point.value)
def test_killed_at_any_step_every_event_arrives(crash_stage: Stage, summary: Summary, point: Point) -> None:
    chance = random.Random(point.value)  # noqa: S311
    counted = Tally()
    repeats: list[Repeat] = []
    for number in range(KILLS_EACH):
        whole = (list(Point).index(point) + number) % WHOLE_EACH == 0
        more, repeated = play(crash_stage, point, number, chance, whole=whole)
        counted += more
        repeats += repeated
    summary.rows[point.value] = counted
    assert KILLS_EACH == counted.kills
    assert [] == counted.lost
    assert counted.events == counted.accepted == 4 * KILLS_EACH
    assert all(repeat.replaces for repeat in repeats)
    if point not in MAY_REPEAT:
        assert [] == repeats
    if point in ALWAYS_REPEATS:
        assert counted.pushes == 2 * counted.duplicates == 16 * KILLS_EACH


def test_what_the_function_dies_of_each_time_ends_where_somebody_sees_it(
    crash_stage: Stage, summary: Summary
) -> None:
    before, mark = newest_event(crash_stage), len(crash_stage.push_service.received)
    crash_stage.trap.arm(Point.CLAIM_COMMITTED, crash_stage.function.kill_worker)
    tasks = end_tasks(crash_stage, 0)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert crash_stage.trap.sprung.wait(SPRING_SECONDS)
        crash_stage.let_leases_end()
        if attempt < MOST_ATTEMPTS:
            crash_stage.trap.arm(Point.CLAIM_COMMITTED, crash_stage.function.kill_worker)
            assert crash_stage.wake() == 0
    crash_stage.sweep_until_done()
    [(letters,)] = crash_stage.sql("select public.taskbell_dead_letters()")
    dead = [event for event in letters["events"] if event["id"] > before]
    assert {(task, "too_many_attempts") for task in tasks} == {(e["task_id"], e["reason"]) for e in dead}

    crash_stage.sql("select public.taskbell_resend(%s)", [event["id"] for event in dead])
    crash_stage.sweep_until_done()
    counted, repeats = tally(crash_stage, before, crash_stage.push_service.received[mark:])
    counted.kills = MOST_ATTEMPTS
    summary.rows["claim: 8 times, then sent again"] = counted
    assert ([], [], 4) == (counted.lost, repeats, counted.accepted)


def test_in_a_storm_of_changes_and_deaths_nothing_is_lost(crash_stage: Stage, summary: Summary) -> None:
    before, mark = newest_event(crash_stage), len(crash_stage.push_service.received)
    deaths = len(crash_stage.function.deaths)
    storm = Storm(crash_stage, random.Random(STORM_CHANGES))  # noqa: S311
    storm.rage(STORM_CHANGES)
    crash_stage.wait_until_silent()
    crash_stage.sweep_until_done()

    counted, repeats = tally(crash_stage, before, crash_stage.push_service.received[mark:])
    counted.kills = len(crash_stage.function.deaths) - deaths + len(storm.outages) + crash_stage.relay.kills
    summary.rows["storm"] = counted
    summary.remarks.append(f"storm: {storm.kills}")
    assert [] == counted.lost
    assert len(storm.versions) == counted.events
    assert [] == storm.unexplained(repeats)
    assert {"database", "relay", "whole function"} <= storm.kills.keys()

    expected = {key: (version.task, version.status) for key, version in fold(storm.versions).items()}
    shown = crash_stage.sql(
        "select user_id::text, contact_id, agent_id, task_id, status from taskbell.contact_states"
        " where task_id = any (%s)",
        [version.task for version in storm.versions],
    )
    assert expected == {tuple(key): (task, status) for *key, task, status in shown}
    assert [] == crash_stage.sql(UNTOLD)
    assert "internal_error" not in crash_stage.function.log_file.read_text()
