"""Where the processor time of a burst goes: each question to the database, and what Python does around it.

In: nothing. Out: µs of processor time for each event and stage, on both sides: this process and the database
with its processes. Touches what a stage does. Linux only.
Run: `python -m tests.bench.pipeline_cpu [PEOPLE [ROUNDS]]`.

The steps are taken one after the other, so that whatever the database's processes do belongs to the question
that is being asked. Processor time, unlike time on the wall, means something on a busy machine too.
"""

import contextlib
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from taskbell.app import Application, collect_rarely
from taskbell.gateway import InboxChanges
from taskbell.model import Json, User
from taskbell.notify.dispatch import Dispatcher
from taskbell.push import PushMessage, PushResponse
from taskbell.settings import read_settings
from tests.bench.burst import COMPLETE, RUN_AGAIN
from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage
from tests.functions.bell import SECRET

PEOPLE, ROUNDS = 5000, 3
BUDGET_SECONDS = 120.0
_QUESTIONS = ("claim", "apply", "settle")


class Watched:
    """The real gateway and the real sender; notes what each call took, and whose time it was."""

    def __init__(self, here: Stage, application: Application) -> None:
        self._postmaster = here.postgres.pid
        self._application = application
        self.database: dict[str, float] = defaultdict(float)
        self.python: dict[str, float] = defaultdict(float)

    @property
    def inbox_changes(self) -> InboxChanges | None:
        """Nobody waits here."""
        return None

    def rpc(
        self, name: str, params: Any, as_user: User | None = None, *, timeout_seconds: float | None = None
    ) -> Json:
        """Ask the real gateway."""
        with self.noted(name.removeprefix("taskbell_")):
            return self._application.gateway.rpc(name, params, as_user, timeout_seconds=timeout_seconds)

    def send(self, messages: Sequence[PushMessage], *, budget_seconds: float) -> list[PushResponse]:
        """Let the real sender send: its own thread's time is noted, too."""
        with self.noted("send"):
            return self._application.sender.send(messages, budget_seconds=budget_seconds)

    def close(self) -> None:
        """Leave the real ones open."""

    @contextlib.contextmanager
    def noted(self, name: str) -> Iterator[None]:
        """Note the processor time of this process and of the database until the end of the block."""
        database, python = self._database_seconds(), time.process_time()
        yield
        self.python[name] += time.process_time() - python
        for process, seconds in self._database_seconds().items():
            self.database[name] += seconds - database.get(process, 0)

    def _database_seconds(self) -> dict[str, float]:
        """Return what each of the database's processes has taken so far, to the nanosecond."""
        seconds = {}
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children")
        for process in children.read_text().split():
            with contextlib.suppress(OSError):  # it has ended
                seconds[process] = int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9
        return seconds


def measure(people: int, rounds: int) -> dict[str, float]:
    """Return medians over the rounds, in µs for each event."""
    collect_rarely()
    with stage() as here:
        add_people(here, people)
        application = Application(read_settings(here.settings), push_ca_file=here.settings["SSL_CERT_FILE"])
        watched = Watched(here, application)
        dispatcher = Dispatcher(
            watched, watched, public_url="https://bell.example", secrets=[SECRET], ahead=0
        )
        taken = [_round(here, watched, dispatcher, people) for _ in range(rounds + 1)][1:]
        application.close()
    return {name: round(statistics.median(one[name] for one in taken), 1) for name in taken[0]}


def _round(here: Stage, watched: Watched, dispatcher: Dispatcher, people: int) -> dict[str, float]:
    here.sql("vacuum analyze", superuser=True)
    here.sql("checkpoint", superuser=True)
    watched.database.clear()
    watched.python.clear()
    with here.connect() as connection:
        connection.execute("select 1")
        with watched.noted("record"):
            connection.execute(COMPLETE, [people])
    started = time.process_time()
    summary = dispatcher.run(BUDGET_SECONDS)
    whole = time.process_time() - started
    assert summary.accepted == people, summary
    figures = {f"sql {name}": watched.database[name] for name in ("record", *_QUESTIONS)}
    figures["sql after the commit"] = sum(watched.database[name] for name in _QUESTIONS)
    figures |= {f"python {name}": watched.python[name] for name in (*_QUESTIONS, "send")}
    figures["python between"] = whole - sum(watched.python[name] for name in (*_QUESTIONS, "send"))
    here.sql(RUN_AGAIN)
    dispatcher.run(BUDGET_SECONDS)
    # A fourth notification within a minute would be held for a digest.
    here.sql("update taskbell.notifications set created_at = created_at - interval '2 minutes'")
    return {name: seconds / people * 1e6 for name, seconds in figures.items()}


def main() -> None:
    """Print a line for each stage."""
    people, rounds = (*map(int, sys.argv[1:]), *(PEOPLE, ROUNDS)[len(sys.argv) - 1 :])
    for name, value in measure(people, rounds).items():
        print(f"{name:20} {value:7.1f} µs")


if __name__ == "__main__":
    main()
