"""The whole product, running as a person starts it: the command `taskbell dev`.

In: a data folder and settings. Out: its address and its database.
Touches: the processes it starts, that folder.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString, Self

import psycopg

from taskbell_local.env_file import read_env
from tests.stand_ins.ports import free_port
from tests.stand_ins.record import wait_until

START_SECONDS = 60
STOP_SECONDS = 20


class Stack:
    """`url` is where the page is; `sql` speaks to its database as the application's owner."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, demo: bool = False, page: Path | None = None
    ) -> None:
        self._log = folder / "taskbell.log"
        self._data = folder / "data"
        port = free_port()
        self.url = f"http://localhost:{port}"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    Path(sys.executable).with_name("taskbell"),
                    *f"dev {'' if demo else '--no-demo'} --port {port} --data".split(),
                    self._data,
                    *(("--page", str(page)) if page else ()),
                ],
                stdout=log,
                stderr=log,
                env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
            )
        try:
            wait_until(self._is_ready, f"{self.url} is ready", timeout_seconds=START_SECONDS)
            self._database = psycopg.connect(self.settings()["DATABASE_URL"], autocommit=True)
        except BaseException:
            self._stop()
            raise

    def _is_ready(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"taskbell dev ended at its start:\n{self.log()[-4000:]}")
        return "taskbell: ready at" in self.log()

    def settings(self) -> dict[str, str]:
        """Return the settings that the command leaves for others to use."""
        return read_env(self._data / "dev.env")

    def log(self) -> str:
        """Return everything that the command and its functions printed."""
        return self._log.read_text(errors="replace")

    def sql(self, statement: LiteralString, *arguments: object) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and return its rows."""
        cursor = self._database.execute(statement, arguments)
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the statements of a block in one transaction."""
        with self._database.transaction():
            yield

    def _stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._stop()
