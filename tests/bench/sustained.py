"""Completions at a fixed rate: the highest at which nothing piles up.

In: nothing. Out: for each rate, p50 and p95 from the change until the push was accepted and settled, and how
much was due at the end; the highest rate that was kept up, confirmed for a minute. Touches what a stage does.
Run alone: `python -m tests.bench.sustained`.

Each completion is a transaction of its own, with a wake-up of its own, and comes when it is due, whether or
not the one before is through (an open loop). All parts share the machine's cores, the writers among them.
"""

import statistics
import sys
import threading
import time
from typing import Any

from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage
from tests.bench.section import Figures, Progress, alone

TITLE = "sustained: completions at a fixed rate"
RATES = (50, 100, 200, 300, 400, 500, 650, 800)
QUICK_RATES = (20,)
STEP_SECONDS, MINUTE_SECONDS, QUICK_SECONDS = 5.0, 60.0, 2.0
WRITERS = 6
PEOPLE, QUICK_PEOPLE = 3000, 100
P95_MS = 1000
FLAT_SECONDS = 1.0
"""A backlog is flat if in the end no more is due than comes in within this time."""

# Each completion rings: a failure follows a success, and a success a failure.
_COMPLETE = """
update public.agent_tasks set status = case status when 'completed' then 'failed' else 'completed' end
where user_id = %s
"""
_LATENCY = """
select array_agg(d.latency_ms) from taskbell.deliveries d where d.state = 'accepted' and d.id > %s
"""
_DUE = """
select
  (select count(*) from taskbell.task_events where state = 'due')
  + (select count(*) from taskbell.deliveries where state = 'due')
"""


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return one row for each rate tried, and the highest that was kept up for a minute."""
    seconds, minute = (QUICK_SECONDS, QUICK_SECONDS) if quick else (STEP_SECONDS, MINUTE_SECONDS)
    rates = QUICK_RATES if quick else RATES
    rows: list[dict[str, Any]] = []
    with stage() as here:
        progress(0.02, "starting")
        people = add_people(here, QUICK_PEOPLE if quick else PEOPLE)
        # Nobody's burst is held for a digest: every completion rings.
        here.sql("insert into taskbell.preferences (user_id, digest) select id, false from auth.users")
        here.relay(here.function("webhook"))
        here.clock()
        _at_rate(here, people, 20, QUICK_SECONDS)
        for number, rate in enumerate(rates):
            progress(0.1 + 0.4 * number / len(rates), f"{rate} a second")
            rows.append(_at_rate(here, people, rate, seconds))
            if not rows[-1]["kept_up"]:
                break
        kept = [row["rate"] for row in rows if row["kept_up"]]
        confirmed: dict[str, Any] | None = None
        while kept and not (confirmed and confirmed["kept_up"]):
            rate = kept.pop()
            progress(0.5, f"{rate} a second for a minute")
            confirmed = _at_rate(here, people, rate, minute)
    return {
        "highest_rate": confirmed["rate"] if confirmed and confirmed["kept_up"] else 0,
        "p95_ms": confirmed["p95_ms"] if confirmed else None,
        "confirmed": confirmed,
        "rates": rows,
    }


def _at_rate(here: Stage, people: list[str], rate: int, seconds: float) -> dict[str, Any]:
    here.sql("vacuum analyze", superuser=True)
    newest = here.value("select coalesce(max(id), 0) from taskbell.deliveries")
    count = int(rate * seconds)
    begins_at = time.monotonic() + 0.2
    late: list[float] = []
    backlog: list[int] = []
    writers = [
        threading.Thread(target=_write, args=(here, people, rate, range(n, count, WRITERS), begins_at, late))
        for n in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    with here.connect() as connection:
        while any(writer.is_alive() for writer in writers):
            backlog.append(connection.execute(_DUE).fetchall()[0][0])
            time.sleep(0.5)
    left = backlog[-1]
    quiet = here.await_quiet(60)
    latencies = here.value(_LATENCY, newest) or [60_000]
    percentiles = statistics.quantiles(latencies, n=100, method="inclusive")
    flat = left <= max(rate * FLAT_SECONDS, 20) and quiet
    return {
        "rate": rate,
        "seconds": seconds,
        "completions": count,
        "accepted": len(latencies),
        "p50_ms": round(percentiles[49]),
        "p95_ms": round(percentiles[94]),
        "due_each_half_second": backlog,
        "written_late_ms": round(max(late) * 1000),
        "kept_up": flat and percentiles[94] < P95_MS and len(latencies) == count and max(late) < 1,
    }


def _write(
    here: Stage, people: list[str], rate: int, numbers: range, begins_at: float, late: list[float]
) -> None:
    with here.connect() as connection:
        for number in numbers:
            due_at = begins_at + number / rate
            time.sleep(max(0.0, due_at - time.monotonic()))
            connection.execute(_COMPLETE, [people[number % len(people)]])
            late.append(time.monotonic() - due_at)


def main() -> int:
    """Run it alone."""
    return alone("sustained")


if __name__ == "__main__":
    sys.exit(main())
