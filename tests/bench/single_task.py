"""One task at a time: from the commit that completes it until the push service has the push.

In: nothing. Out: p50, p95 and every run, in milliseconds. Touches what a stage does. Run alone:
`python -m tests.bench.single_task`.

The clock starts when COMMIT is sent, so that writing the commit to disk is part of the time.
"""

import statistics
import sys
import time

from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage
from tests.bench.section import Figures, Progress, alone

TITLE = "one task: from commit to the push request"
RUNS, QUICK_RUNS = 300, 20
WARM_UP = 20
PATIENCE_SECONDS = 20.0

_COMPLETE = "update public.agent_tasks set status = 'completed', completed_at = now() where user_id = %s"


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return the distribution of the time, one task after the other."""
    runs = QUICK_RUNS if quick else RUNS
    with stage() as here:
        progress(0.02, "starting")
        people = add_people(here, runs + WARM_UP)
        here.relay(here.function("webhook"))
        here.clock()
        for user in people[:WARM_UP]:
            _ring(here, user)
        here.sql("vacuum analyze", superuser=True)
        times = []
        for number, user in enumerate(people[WARM_UP:]):
            times.append(_ring(here, user))
            progress(number / runs, f"task {number + 1} of {runs}")
    percentiles = statistics.quantiles(times, n=100, method="inclusive")
    return {
        "runs": runs,
        "p50_ms": round(percentiles[49], 1),
        "p95_ms": round(percentiles[94], 1),
        "max_ms": round(max(times), 1),
        "each_ms": [round(one, 1) for one in times],
    }


def _ring(here: Stage, user: str) -> float:
    """Complete one person's task; milliseconds until its push was accepted."""
    before = len(here.pushes())
    with here.connect() as connection:
        connection.execute("begin")
        connection.execute(_COMPLETE, [user])
        started = time.time()
        connection.execute("commit")
        times = here.await_pushes(before + 1, PATIENCE_SECONDS)
    assert here.await_quiet(PATIENCE_SECONDS), "settled before the next begins"
    return (times[before] - started) * 1000


def main() -> int:
    """Run it alone."""
    return alone("single_task")


if __name__ == "__main__":
    sys.exit(main())
