"""Two functions that sweep at once, in processes of their own, share the work and never do it twice."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.functions.bell import signed
from tests.functions.crash_account import tally
from tests.functions.crash_processes import FunctionProcess
from tests.functions.crash_stage import BROWSERS_EACH, PEOPLE, WAKE_UP, Stage, stage

TASKS = int(os.environ.get("TWO_SWEEPS_TASKS", "240"))
"""Tasks that end at once; four claims' worth, and one push each to two browsers."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, FunctionProcess]]:
    """A stage with nobody to relay wake-ups, and a second function beside its first."""
    with stage(tmp_path_factory.mktemp("two"), contacts_each=TASKS // PEOPLE) as built:
        built.relay.kill()
        second = built.function.twin()
        second.start()
        try:
            yield built, second
        finally:
            second.end()


def test_two_sweeps_at_once_share_all_that_is_due(two: tuple[Stage, FunctionProcess]) -> None:
    stage, second = two
    _end_tasks(stage)
    deadlocks = _deadlocks(stage)
    answers = _sweep_at_once([stage.function, second])
    while stage.unfinished():
        # A budget may end before the work does: what was not begun is due again when its lease ends.
        stage.let_leases_end()
        answers += _sweep_at_once([stage.function, second])

    counted, repeats = tally(stage, 0, stage.push_service.received)
    assert {200} == set(answers)
    assert ([], []) == (counted.lost, repeats)
    assert TASKS == counted.events == counted.accepted
    assert TASKS * BROWSERS_EACH == counted.pushes
    claims = stage.sql("select attempts, count(*) from taskbell.task_events group by 1")
    assert [(1, TASKS)] == claims, "no event was claimed by both"
    assert {stage.function.url, second.url} == _workers(stage)
    assert deadlocks == _deadlocks(stage)
