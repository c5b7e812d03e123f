"""Growth: the same work beside a short, a long and a very long history.

In: nothing. Out: milliseconds of claim, apply, settle (100 events), the inbox, a poll that finds nothing new
and the clock's look, beside 10 thousand, 1 million and 10 million finished events, notifications and
deliveries; and how much slower the slowest is than the first. Touches what a stage does, and 20 GB of disk.
Run alone: `python -m tests.bench.growth`. Most of its five minutes go into writing the history.
"""

import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

from taskbell.gateway.postgres import PostgresGateway
from taskbell.model import Event, User
from taskbell.notify.decide import decide_all
from tests.bench.pipeline_history import grow, make_room
from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage
from tests.bench.section import Figures, Missing, Progress, alone

TITLE = "growth: the same work beside a history of up to 10 million"
SIZES, QUICK_SIZES = (10_000, 1_000_000, 10_000_000), (1_000, 20_000)
BYTES_EACH = 2_500
ROUNDS, QUICK_ROUNDS, WARM_UP = 12, 2, 3
BATCH = 100
QUESTIONS = 40

# Each round rings: a failure follows a success, and a success a failure.
_COMPLETE = """
update public.agent_tasks set status = case status when 'completed' then 'failed' else 'completed' end
where user_id = any (%s)
"""


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return one row for each size, and for each step the slowest median against the first."""
    sizes, rounds = (QUICK_SIZES, QUICK_ROUNDS) if quick else (SIZES, ROUNDS)
    rows: list[dict[str, Any]] = []
    with stage() as here:
        if shutil.disk_usage(here.folder).free < sizes[-1] * BYTES_EACH * 2:
            raise Missing(f"{sizes[-1] * BYTES_EACH * 2 / 1e9:.0f} GB of free disk")
        make_room(here)
        people = add_people(here, BATCH)
        # Nobody's burst is held for a digest: every round is alike.
        here.sql("insert into taskbell.preferences (user_id, digest) select id, false from auth.users")
        done = 0
        for size in sizes:

            def told(what: str, done: int = done) -> None:
                progress(done / sizes[-1], what)

            seconds = grow(here, done + 1, size, told)
            told(f"{size:,} events: measuring")
            rows.append({"finished": size, "fill_seconds": round(seconds, 1), **_work(here, people, rounds)})
            done = size
    steps = [name for name in rows[0] if name.endswith("_ms")]
    return {
        "slowest_against_first": max(row[name] / rows[0][name] for row in rows for name in steps),
        "against_first": {name: round(max(row[name] / rows[0][name] for row in rows), 2) for name in steps},
        "sizes": rows,
    }


def _work(here: Stage, people: list[str], rounds: int) -> dict[str, Any]:
    """Return the median of each step in milliseconds."""
    times: dict[str, list[float]] = {}
    with closing(PostgresGateway(here.postgres.url, max_connections=1)) as gateway:
        for number in range(-WARM_UP, rounds):
            if number == 0:
                times.clear()
            here.sql(_COMPLETE, people)
            _batch(gateway, times)
            _questions(gateway, people, times)
        with here.connect() as connection:
            for _ in range(QUESTIONS):
                with _timed(times, "clock_ms"):
                    connection.execute("select taskbell.wake_if_due()")
    gigabytes = here.value("select pg_database_size(current_database())") / 1e9
    medians = {name: round(statistics.median(each), 3) for name, each in times.items()}
    return {**medians, "database_gb": round(gigabytes, 2)}


def _batch(gateway: PostgresGateway, times: dict[str, list[float]]) -> None:
    with _timed(times, "claim_ms"):
        claimed: Any = gateway.rpc("taskbell_claim", {"p_limit": BATCH, "p_lease_seconds": 30})
    events = [Event.model_validate(one) for one in claimed["events"]]
    decisions = [one.as_json() for one in decide_all(events, datetime.fromisoformat(claimed["now"]))]
    assert BATCH == len(decisions), "all are claimed at once"
    with _timed(times, "apply_ms"):
        applied: Any = gateway.rpc("taskbell_apply", {"p_decisions": list(decisions), "p_lease_seconds": 30})
    assert BATCH == len(applied["deliveries"]), "all of them ring"
    outcomes: list[Any] = [
        {
            "delivery_id": one["id"],
            "lease": one["lease"],
            "outcome": "accepted",
            "status_code": 201,
            "origin": one["subscription"]["origin"],
        }
        for one in applied["deliveries"]
    ]
    with _timed(times, "settle_ms"):
        gateway.rpc("taskbell_settle", {"p_outcomes": outcomes})


def _questions(gateway: PostgresGateway, people: list[str], times: dict[str, list[float]]) -> None:
    for user_id in people[:QUESTIONS]:
        user = User(user_id, "", {"sub": user_id, "role": "authenticated"})
        with _timed(times, "inbox_ms"):
            inbox: Any = gateway.rpc("taskbell_inbox", {"p_known_version": None}, user)
        with _timed(times, "poll_ms"):
            same: Any = gateway.rpc("taskbell_inbox", {"p_known_version": inbox["version"]}, user)
        assert (True, False) == (inbox["changed"], same["changed"])


@contextmanager
def _timed(times: dict[str, list[float]], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    times.setdefault(name, []).append((time.perf_counter() - started) * 1000)


def main() -> int:
    """Run it alone."""
    return alone("growth")


if __name__ == "__main__":
    sys.exit(main())
