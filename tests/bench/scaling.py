"""Scaling out: one, two and four dispatchers on one database.

In: nothing. Out: pushes a second by the number of processes, from due to settled; how many were taken twice
(none may be), and the share of time that a dispatcher's session waited for another's lock. Touches what a
stage does. Run alone: `python -m tests.bench.scaling`.

All share the machine's cores with the database and the push service: on two cores more processes cannot be
faster, but they must not be slower for getting in each other's way.
"""

import json
import sys
import threading
import time
from typing import Any

from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage
from tests.bench.section import Figures, Progress, alone

TITLE = "scaling out: dispatchers on one database"
PROCESSES = (1, 2, 4)
PEOPLE, QUICK_PEOPLE = 4000, 200
WARM_UP = 100
SAMPLE_SECONDS = 0.005

_COMPLETE = """
update public.agent_tasks set status = 'completed'
where id in (select id from public.agent_tasks where status = 'in_progress' order by id limit %s)
"""
_SESSIONS = """
select count(*) filter (where state <> 'idle'), count(*) filter (where wait_event_type = 'Lock')
from pg_stat_activity where application_name = 'taskbell'
"""


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return one row for each number of processes, each on a new database with as much to do."""
    people = QUICK_PEOPLE if quick else PEOPLE
    rows = []
    for number, processes in enumerate(PROCESSES):
        progress(number / len(PROCESSES), f"{processes} processes")
        with stage() as here:
            add_people(here, people + WARM_UP * processes)
            rows.append(_together(here, people, processes))
    return {
        "dispatchers": rows,
        "highest_lock_wait": max(row["lock_wait"] for row in rows),
        "taken_twice": sum(row["taken_twice"] for row in rows),
    }


def _together(here: Stage, people: int, processes: int) -> dict[str, Any]:
    dispatchers = [_Dispatcher(here, number) for number in range(processes)]
    for dispatcher in dispatchers:
        here.sql(_COMPLETE, WARM_UP)
        dispatcher.run()
        dispatcher.answer()
    here.sql("vacuum analyze", superuser=True)
    here.sql("checkpoint", superuser=True)
    here.sql(_COMPLETE, people)
    before = len(here.pushes())
    watch = _Watch(here)
    for dispatcher in dispatchers:
        dispatcher.run()
    runs = [dispatcher.answer() for dispatcher in dispatchers]
    active, waiting = watch.end()
    seconds = max(run["ended"] for run in runs) - min(run["started"] for run in runs)
    accepted = sum(run["accepted"] for run in runs)
    assert here.await_quiet(10), "everything is settled"
    return {
        "processes": processes,
        "pushes": accepted,
        "seconds": round(seconds, 3),
        "pushes_a_second": round(accepted / seconds),
        "by_process": [run["accepted"] for run in runs],
        # What two had claimed would have been applied once and superseded once, or pushed twice.
        "taken_twice": len(here.pushes()) - before - people + sum(run["superseded"] for run in runs),
        "lock_wait": round(waiting / max(active, 1), 4),
        "samples": active,
    }


class _Dispatcher:
    """One process (`pipeline_dispatcher`)."""

    def __init__(self, here: Stage, number: int) -> None:
        self._process = here.start_talking(f"dispatcher {number}", ["-m", "tests.bench.pipeline_dispatcher"])
        self._read()

    def run(self) -> None:
        """Let it begin."""
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Return what it did."""
        answer: dict[str, Any] = json.loads(self._read())
        return answer

    def _read(self) -> bytes:
        assert self._process.stdout
        return self._process.stdout.readline()


class _Watch:
    """Looks, again and again, what the dispatchers' sessions wait for."""

    def __init__(self, here: Stage) -> None:
        self._here = here
        self._over = threading.Event()
        self._counts = [0, 0]
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> tuple[int, int]:
        """Return how often a session was seen at work, and how often it waited for a lock."""
        self._over.set()
        self._thread.join()
        return self._counts[0], self._counts[1]

    def _look(self) -> None:
        with self._here.connect() as connection:
            while not self._over.is_set():
                [(active, waiting)] = connection.execute(_SESSIONS).fetchall()
                self._counts[0] += active
                self._counts[1] += waiting
                time.sleep(SAMPLE_SECONDS)


def main() -> int:
    """Run it alone."""
    return alone("scaling")


if __name__ == "__main__":
    sys.exit(main())
