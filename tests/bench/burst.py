"""A burst: one SQL statement completes the tasks of many people, each with one browser.

In: nothing. Out: from the statement's commit until the push service accepted the last push, and the processor
time that each part took; beside it the usual way (`usual_way`) in the same surroundings. Touches what a stage
does. Run alone: `python -m tests.bench.burst`.

Everything shares the machine's cores: database, function, relay and push service. The functions are warm. The
usual way is given fewer people and a limit; what it took for those whom it reached by then is scaled up in
proportion, and those whom it never reached (pg_net had given up their webhooks) are counted.
"""

import statistics
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench import usual_way
from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage
from tests.bench.section import Figures, Progress, alone

TITLE = "burst: one statement completes the tasks of 5,000 people"
PEOPLE, QUICK_PEOPLE = 5000, 300
USUAL_PEOPLE, QUICK_USUAL_PEOPLE = 500, 40
ROUNDS, QUICK_ROUNDS = 3, 1  # a fourth within a minute would be held for a digest
WARM_UP = 50
PATIENCE_SECONDS = 60.0
USUAL_LIMIT_SECONDS = 40.0
STILL_SECONDS = 6.0
"""pg_net gives a webhook 5: when so long nothing has come, nothing will."""

COMPLETE = """
update public.agent_tasks set status = 'completed', completed_at = now(), updated_at = now()
where id in (select id from public.agent_tasks where status = 'in_progress' order by id limit %s)
"""
RUN_AGAIN = (
    "update public.agent_tasks set status = 'in_progress', completed_at = null where status = 'completed'"
)


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return medians over the rounds, each round, the usual way, and how they compare."""
    people, rounds = (QUICK_PEOPLE, QUICK_ROUNDS) if quick else (PEOPLE, ROUNDS)
    with stage() as here:
        progress(0.02, f"bringing in {people:,} people")
        add_people(here, people + WARM_UP)
        here.relay(here.function("webhook"))
        here.clock()
        _warm_up(here)
        runs = []
        for number in range(rounds):
            progress(0.1 + 0.5 * number / rounds, f"round {number + 1} of {rounds}")
            runs.append(_burst(here, people))
            assert here.await_quiet(PATIENCE_SECONDS), "everything was settled"
            here.sql(RUN_AGAIN)
            assert here.await_quiet(PATIENCE_SECONDS), "everything runs again"
            _tidy(here)
    progress(0.65, "the usual way")
    usual = _usual(QUICK_USUAL_PEOPLE if quick else USUAL_PEOPLE)
    seconds = statistics.median(run["last_push_seconds"] for run in runs)
    scaled = usual["last_push_seconds"] * people / usual["people"]
    return {
        "last_push_seconds": round(seconds, 2),
        "usual_way_times": round(scaled / seconds, 1),
        "ways": [
            {
                "way": f"the usual way ({usual['people']:,} measured, scaled)",
                "people": people,
                "last_accepted_seconds": scaled,
                "ours": False,
            },
            {"way": "Taskbell", "people": people, "last_accepted_seconds": seconds, "ours": True},
        ],
        "rounds": runs,
        "usual_way": usual,
    }


def _usual(people: int) -> dict[str, Any]:
    with stage() as here:
        add_people(here, people + WARM_UP)
        url = here.function("webhook", source=Path(usual_way.__file__))
        here.relay(url)
        here.sql(usual_way.SET_UP.replace("{url}", url))
        _complete(here, WARM_UP)
        _await_stillness(here, WARM_UP)
        _tidy(here)
        before = len(here.pushes())
        _, committed_at = _complete(here, people)
        _await_stillness(here, before + people)
        times = [at - committed_at for at in here.pushes()[before:]]
    assert times, "the usual way reaches somebody"
    return {
        "asked": people,
        "people": len(times),
        "last_push_seconds": round(max(times), 2),
        "how": f"{len(times):,} of {people:,} people reached within {max(times):.1f} s, the rest not at all, "
        f"or not within {USUAL_LIMIT_SECONDS:.0f} s; time scaled in proportion",
    }


def _await_stillness(here: Stage, count: int) -> None:
    """Wait until there are so many pushes, or none has come for a while, or the limit is over."""
    ends_at = time.monotonic() + USUAL_LIMIT_SECONDS
    seen = -1
    while seen < len(here.pushes()) < count and time.monotonic() < ends_at:
        seen = len(here.pushes())
        here.await_pushes(count, min(STILL_SECONDS, ends_at - time.monotonic()))


def _warm_up(here: Stage) -> None:
    before = len(here.pushes())
    _complete(here, WARM_UP)
    here.await_pushes(before + WARM_UP, PATIENCE_SECONDS)
    here.await_quiet(PATIENCE_SECONDS)
    _tidy(here)


def _tidy(here: Stage) -> None:
    """What autovacuum and the checkpointer do in quieter times."""
    here.sql("vacuum analyze", superuser=True)
    here.sql("checkpoint", superuser=True)


def _complete(here: Stage, count: int) -> tuple[float, float]:
    """Complete so many tasks in one statement; returns when it was sent and when it was committed."""
    with here.connect() as connection:
        sent_at = time.time()
        connection.execute(COMPLETE, [count])
        return sent_at, time.time()


def _burst(here: Stage, people: int) -> dict[str, Any]:
    before, cpu = len(here.pushes()), here.cpu_seconds()
    sent_at, committed_at = _complete(here, people)
    times = [at - committed_at for at in here.await_pushes(before + people, PATIENCE_SECONDS)[before:]]
    spent = here.cpu_seconds()
    return {
        "pushes": len(times),
        "statement_seconds": round(committed_at - sent_at, 3),
        "first_push_seconds": round(min(times), 3),
        # What a webhook that was given up took with it will never come.
        "last_push_seconds": round(max(times), 3) if len(times) >= people else PATIENCE_SECONDS,
        "accepted_by_tenths_of_a_second": [
            sum(at <= tenth / 10 for at in times) for tenth in range(1, int(max(times) * 10) + 2)
        ],
        "cpu_us_a_push": {name: round((spent[name] - cpu[name]) / people * 1e6) for name in spent},
    }


def main() -> int:
    """Run it alone."""
    return alone("burst")


if __name__ == "__main__":
    sys.exit(main())
