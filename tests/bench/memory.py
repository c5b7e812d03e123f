"""What a serving instance occupies, and whether that stays the same.

In: nothing. Out: megabytes over ten thousand webhooks. Touches: a temporary folder, loopback ports, processes
of its own. Run alone: `python -m tests.bench.memory`.

An instance is all processes of one function; memory that they share counts once (PSS), as a container is
charged. Every fourth webhook comes with a finished task, which goes all the way to an accepted push. Growth
is flat within what waits for Python's collector (`app.collect_rarely`), some megabytes: 30,000 webhooks show
it, once, as a line that goes up and down by two.
"""

import statistics
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.bench.cold_start import BODY, rest, supabase_settings
from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage
from tests.bench.section import Figures, Progress, alone
from tests.bench.served import Served, post, request, served
from tests.functions.bell import signed

TITLE = "memory of a serving instance over 10,000 webhooks"
WEBHOOKS = {"postgres": 10_000, "supabase": 2_000}
QUICK = 80
SAMPLES = 40
CLIENTS, THREADS = 4, 8
CHANGE_EVERY = 4


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return samples, the highest, and how much the last quarter has over the second, by gateway."""
    wanted = dict.fromkeys(WEBHOOKS, QUICK) if quick else WEBHOOKS
    total, done = sum(wanted.values()), 0
    figures: dict[str, Figures] = {}
    with stage() as here, rest(here) as rest_url:
        changed = {"postgres": {}, "supabase": supabase_settings(rest_url)}
        for name, webhooks in wanted.items():
            people = add_people(here, webhooks // CHANGE_EVERY)
            accepted = len(here.pushes())
            before = done

            def told(count: int, before: int = before, name: str = name) -> None:
                progress((before + count) / total, f"{name} gateway, {count:,} webhooks")

            settings = {**here.settings, **changed[name]}
            with served("webhook", settings, here.folder, threads=THREADS) as function:
                samples = _samples(here, function, people, webhooks, told)
                worker_mb = function.worker().memory_info().rss / 2**20
            assert here.await_quiet(60), "everything was sent in the end"
            figures[name] = {
                "webhooks": webhooks,
                "pushes": len(here.pushes()) - accepted,
                "highest_mb": round(max(samples), 1),
                "growth_mb": _growth(samples),
                "worker_rss_mb": round(worker_mb, 1),
                "samples_mb": [round(one, 1) for one in samples],
            }
            done += webhooks
    figure = figures["postgres"]
    highest = max(float(str(one["highest_mb"])) for one in figures.values())
    return {"highest_mb": highest, "growth_mb": figure["growth_mb"], **figures}


def _growth(samples: list[float]) -> float:
    """Return the last quarter's median less the second's: the first one is the warming up."""
    quarter = len(samples) // 4
    return round(statistics.median(samples[-quarter:]) - statistics.median(samples[quarter : 2 * quarter]), 2)


def _samples(
    here: Stage, function: Served, people: list[str], webhooks: int, told: Callable[[int], None]
) -> list[float]:
    """Send all webhooks, and look at the memory in regular steps."""
    request(function, post(BODY, signed(BODY)))
    local = threading.local()

    def change(person: str) -> None:
        if not hasattr(local, "connection"):
            local.connection = here.connect()
        local.connection.execute(
            "update agent_tasks set status = 'completed', completed_at = now() where user_id = %s", [person]
        )

    def webhook(number: int) -> None:
        if number % CHANGE_EVERY == 0:
            change(people[number // CHANGE_EVERY])
        answer = request(function, post(BODY, signed(BODY)))
        assert answer.startswith(b"HTTP/1.1 200"), answer

    samples = []
    step = webhooks // SAMPLES
    with ThreadPoolExecutor(CLIENTS) as clients:
        for first in range(0, webhooks, step):
            list(clients.map(webhook, range(first, first + step)))
            samples.append(function.memory_mb())
            told(first + step)
    return samples


def main() -> int:
    """Run it alone."""
    return alone(__spec__.name)


if __name__ == "__main__":
    sys.exit(main())
