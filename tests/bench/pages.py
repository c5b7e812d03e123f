"""How many open pages one instance of the function `api` serves: polling ones, and held ones beside them.

In: nothing. Out: percentiles, memory for each held page. Touches: a temporary folder, loopback ports,
processes of its own. Run alone: `python -m tests.bench.pages`.

The instance is served as the platform serves it, with as many threads as held pages need: a held request
occupies one, and three quarters of them may be held (`held_requests` in functions/taskbell/settings.py).
Every request makes a connection of its own, which costs more than a proxy that keeps some open.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from tests.bench.pages_client import Answers, HeldPages, Page, poll
from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage
from tests.bench.section import Figures, Progress, alone
from tests.bench.served import Served, get, request, served
from tests.stand_ins.issuer import Issuer

TITLE = "1,000 pages polling every 5 s, and 500 held beside them, on one instance"
EVERY_SECONDS, HOLD_SECONDS = 5.0, 25
VERSION = 7
OPENING_SECONDS = 25.0  # one hold: opened all at once, they would all come back at once, 25 s later
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Size:
    """How much of it: pages, threads of the server, seconds of each phase, changes for held pages."""

    polling: int
    held: int
    threads: int
    seconds: float
    changes: int


WHOLE = Size(polling=1000, held=500, threads=680, seconds=20, changes=100)
QUICK = Size(polling=20, held=10, threads=24, seconds=2, changes=4)


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Measure polling alone, then beside held pages, some of which are told of changes meanwhile."""
    size = QUICK if quick else WHOLE
    with stage() as here, Issuer() as issuer:
        progress(0, "making people")
        people = add_people(here, size.polling + size.held)
        here.sql(
            "insert into taskbell.inboxes (user_id, version) select id, %s from auth.users"
            " on conflict (user_id) do update set version = excluded.version",
            VERSION,
        )
        pages = [Page(user_id, issuer.token(user_id)) for user_id in people]
        settings = {**here.settings, "SUPABASE_URL": issuer.project_url}
        with served("api", settings, here.folder, threads=size.threads) as function:
            return asyncio.run(_measure(here, function, pages, size, progress))


async def _measure(
    here: Stage, function: Served, pages: Sequence[Page], size: Size, progress: Progress
) -> Figures:
    polling, held = pages[: size.polling], pages[size.polling :]
    at_start = await _until_served(function)

    def run(seconds: float = size.seconds) -> Awaitable[Answers]:
        return poll(function.port, polling, VERSION, EVERY_SECONDS, seconds)

    progress(0.1, "warming up")
    await run(EVERY_SECONDS if size is WHOLE else 0.5)
    progress(0.2, f"{len(polling):,} pages polling")
    alone_figures = await _with_load(here, function, run)
    before_mb = function.memory_mb()
    progress(0.5, f"opening {len(held)} held pages")
    holding = HeldPages(function.port, held, VERSION, HOLD_SECONDS)
    await holding.open(OPENING_SECONDS if size is WHOLE else 0.5)
    await asyncio.sleep(1)
    at_once = _held_now(function)
    held_mb = function.memory_mb()
    progress(0.6, f"{len(polling):,} pages polling beside {at_once} held ones")
    changes = asyncio.create_task(_change_some(here, holding, held[: size.changes], size.seconds))
    beside_figures = await _with_load(here, function, run)
    told_ms = await changes
    await holding.close()
    return {
        "threads": size.threads,
        "polling": {"pages": len(polling), "every_seconds": EVERY_SECONDS, **alone_figures},
        "held": {
            "pages": at_once,
            "refused": holding.refused,
            "kb_a_page": round((held_mb - before_mb) * 1024 / max(at_once, 1), 1),
            "changes": len(told_ms),
            "change_to_answer_p50_ms": round(statistics.median(told_ms), 1),
            "change_to_answer_p95_ms": round(statistics.quantiles(told_ms, n=20)[18], 1),
        },
        "polling_beside_held": beside_figures,
        "memory_mb": {"started": at_start, "polled": round(before_mb, 1), "holding": round(held_mb, 1)},
    }


async def _until_served(function: Served) -> float:
    await asyncio.to_thread(request, function, get("/v1/config"))
    return round(function.memory_mb(), 1)


async def _with_load(here: Stage, function: Served, work: Callable[[], Awaitable[Answers]]) -> dict[str, Any]:
    """Return percentiles of the answers, and how much of one core the instance and the database took."""
    database = psutil.Process(here.postgres.pid)
    cpu, database_cpu, started = function.cpu_seconds(), _cpu(database), time.perf_counter()
    answers = await work()
    took = time.perf_counter() - started
    percentiles = statistics.quantiles(answers.milliseconds, n=100, method="inclusive")
    return {
        "answers": len(answers.milliseconds),
        "a_second": round(len(answers.milliseconds) / took, 1),
        "p50_ms": round(percentiles[49], 1),
        "p95_ms": round(percentiles[94], 1),
        "p99_ms": round(percentiles[98], 1),
        "not_304": sum(count for status, count in answers.statuses.items() if status != 304),
        "cores_of_the_instance": round((function.cpu_seconds() - cpu) / took, 2),
        "cores_of_postgres": round((_cpu(database) - database_cpu) / took, 2),
    }


async def _change_some(here: Stage, holding: HeldPages, pages: Sequence[Page], seconds: float) -> list[float]:
    """Change some users' inboxes, one after the other; returns how long until each was told, in ms."""
    changed_at: dict[str, float] = {}

    def change(user_id: str) -> None:
        connection.execute(
            "with changed as (update taskbell.inboxes set version = version + 1 where user_id = %s)"
            " select pg_notify('taskbell_inbox', jsonb_build_array(%s::text)::text)",
            [user_id, user_id],
        )

    with here.connect() as connection:
        for page in pages:
            changed_at[page.user_id] = time.perf_counter()
            await asyncio.to_thread(change, page.user_id)
            await asyncio.sleep(seconds / len(pages))
    await holding.all_told(changed_at.keys(), PATIENCE_SECONDS)
    missed = changed_at.keys() - holding.told_at.keys()
    assert not missed, f"{len(missed)} held pages were not told of a change"
    return [(holding.told_at[user_id] - at) * 1000 for user_id, at in changed_at.items()]


def _held_now(function: Served) -> int:
    """Return how many connections to the instance are open: those whose answer is being held."""
    ours = psutil.Process().net_connections(kind="tcp")
    return sum(
        1
        for one in ours
        if one.status == psutil.CONN_ESTABLISHED and one.raddr and one.raddr.port == function.port
    )


def _cpu(process: psutil.Process) -> float:
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        total += times.user + times.system
    return total


def main() -> int:
    """Run it alone."""
    return alone(__spec__.name)


if __name__ == "__main__":
    sys.exit(main())
