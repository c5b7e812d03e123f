"""How long from the start of a function's process to the answer of its first webhook.

In: nothing. Out: milliseconds for each gateway, beside an empty function of the same framework. Touches: a
temporary folder, loopback ports, processes of its own. Run alone: `python -m tests.bench.cold_start`.

Processes see the packages that are deployed and no others, compiled, as the platform's build leaves them, and
in the system's cache. Twice for each gateway: a wake-up that finds nothing due, and one that
takes a finished task all the way to an accepted push, for which the sender, too, is loaded, and TLS made.
"""

import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.deployed_packages import deployed_packages, python
from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage
from tests.bench.section import Figures, Progress, alone
from tests.bench.served import post, request, served
from tests.functions.bell import signed
from tests.stand_ins.issuer import SigningKey
from tests.stand_ins.postgrest import PostgREST

TITLE = "from process start to the first webhook's answer, against an empty function"
ROUNDS = 9
BODY = b'{"type":"taskbell.wakeup","event_id":1}'
SECRET_KEY = "sb_secret_bench"
EMPTY = '''def empty(request):
    """Answer."""
    return "{}"
'''


@dataclass(frozen=True)
class Start:
    """What one start took: time, and processor time of all the function's processes."""

    wall_ms: float
    cpu_ms: float

    def as_json(self) -> dict[str, float]:
        """Return both, rounded."""
        return {"wall_ms": round(self.wall_ms, 1), "cpu_ms": round(self.cpu_ms, 1)}


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return medians of rounds in turn; `ratio` is the slower of both webhooks against the empty function."""
    rounds = 1 if quick else ROUNDS
    with stage() as here, tempfile.TemporaryDirectory() as packages_folder, rest(here) as rest_url:
        add_people(here, 1)
        packages = deployed_packages(Path(packages_folder), "psycopg[binary,pool]")
        empty = here.folder / "empty.py"
        empty.write_text(EMPTY)
        gateways = {"postgres": {}, "supabase": supabase_settings(rest_url)}
        taken: dict[str, dict[str, list[Start]]] = {"empty": {"answered": []}}
        taken |= {name: {"nothing_due": [], "one_push": []} for name in gateways}
        for number in range(rounds + 1):  # the first compiles, and fills caches
            progress(number / (rounds + 1), f"round {number} of {rounds}")
            taken["empty"]["answered"].append(_start(here, packages, "empty", {}, empty))
            for name, settings in gateways.items():
                taken[name]["nothing_due"].append(_start(here, packages, "webhook", settings))
                _finish_task(here)
                pushes = len(here.pushes())
                taken[name]["one_push"].append(_start(here, packages, "webhook", settings))
                assert pushes + 1 == len(here.pushes()), "the first webhook sent the push"
    return {"rounds": rounds, **_figures({name: _medians(taken[name]) for name in taken})}


def _medians(taken: dict[str, list[Start]]) -> dict[str, Start]:
    return {
        what: Start(
            statistics.median(one.wall_ms for one in starts[1:]),
            statistics.median(one.cpu_ms for one in starts[1:]),
        )
        for what, starts in taken.items()
    }


def _figures(medians: dict[str, dict[str, Start]]) -> Figures:
    empty = medians.pop("empty")["answered"]
    figures: Figures = {"empty": empty.as_json()}
    for name, starts in medians.items():
        slower = max(starts.values(), key=lambda one: one.wall_ms)
        figures[name] = {
            **{what: one.as_json() for what, one in starts.items()},
            "nothing_due_ratio": round(starts["nothing_due"].wall_ms / empty.wall_ms, 2),
            "ratio": round(slower.wall_ms / empty.wall_ms, 2),
            "cpu_ratio": round(slower.cpu_ms / empty.cpu_ms, 2),
        }
    return figures


def _start(here: Stage, packages: Path, target: str, changed: dict[str, str], source: Any = None) -> Start:
    """Start a function, ask once, and return what it took until it had answered."""
    command, environment = python(packages)
    settings = {**here.settings, **changed, **environment}
    options = {"source": source} if source else {}
    with served(target, settings, here.folder, threads=8, python=command, **options) as function:
        answer = request(function, post(BODY, signed(BODY)))
        took = Start((time.perf_counter() - function.started_at) * 1000, function.cpu_seconds() * 1000)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return took


def _finish_task(here: Stage) -> None:
    """Let the one task complete, after it has quietly begun again."""
    here.sql(
        "set session_replication_role = replica; update agent_tasks set status = 'in_progress';"
        "delete from taskbell.task_states where true; delete from taskbell.contact_states where true;"
        "delete from taskbell.notifications where true",
        superuser=True,
    )
    here.sql("update agent_tasks set status = 'completed', completed_at = now()")


def supabase_settings(rest_url: str) -> dict[str, str]:
    """Return what changes in the settings when the database is reached through PostgREST."""
    return {"DATABASE_URL": "", "SUPABASE_URL": rest_url, "SUPABASE_SECRET_KEY": SECRET_KEY}


@contextlib.contextmanager
def rest(here: Stage) -> Iterator[str]:
    """Serve the database as Supabase does and yield the project's URL."""
    key = SigningKey("bench").private.public_key()
    server = PostgREST(
        here.postgres.url, secret_key=SECRET_KEY, publishable_key="sb_publishable_bench", verify_key=key
    )
    server.keeps_connections = True
    with server:
        yield server.url


def main() -> int:
    """Run it alone."""
    return alone(__spec__.name)


if __name__ == "__main__":
    sys.exit(main())
