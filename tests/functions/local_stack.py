"""`taskbell` as a person runs it: in processes of its own, with what it prints."""

import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
import pytest

from taskbell_local import binaries, places
from taskbell_local.env_file import read_env
from tests.stand_ins.ports import free_port

TASKBELL = Path(sys.executable).with_name("taskbell")
START_SECONDS = 60  # the bound of patience, not of the promise
STOP_SECONDS = 60
ANSWER_SECONDS = 30
COMMAND_SECONDS = 120


class LocalStack:
    """`taskbell dev` on a data folder; `start_seconds` is what the last start took."""

    def __init__(self, data: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self._options = options
        self._environment = {**os.environ, **(environment or {})}
        self._log = data.with_name(f"{data.name}.log")
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.start_seconds = 0.0

    def start(self) -> Self:
        """Start it and wait until it says that it is ready."""
        began = time.perf_counter()
        with self._log.open("wb") as log:
            command: list[str | Path] = [
                TASKBELL,
                "dev",
                f"--port={self.port}",
                f"--data={self.data}",
                *self._options,
            ]
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self._environment, start_new_session=True
            )
        while f"taskbell: ready at {self.url}\n" not in self.said():
            if self.process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                self.kill()
                raise AssertionError(f"taskbell dev did not start:\n{self.said()[-4000:]}")
            time.sleep(0.01)
        self.start_seconds = time.perf_counter() - began
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it as a person or a supervisor does and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Give it no chance to clean up."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def said(self) -> str:
        """Return what it and its functions printed."""
        return self._log.read_text(errors="replace")

    @property
    def settings(self) -> dict[str, str]:
        """What it left for other programs."""
        return read_env(self.data / "dev.env")

    def processes(self) -> list[psutil.Process]:
        """Return it and all that it started."""
        this = psutil.Process(self.process.pid)
        return [this, *this.children(recursive=True)]

    def sql(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Run a statement as the role of the functions."""
        with psycopg.connect(self.settings["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), arguments or None)
            return cursor.fetchall() if cursor.description else []

    def get(self, path: str) -> int:
        """Return the status of an answer of the page's address, 0 if nobody answers."""
        return status_of(self.url + path)


def status_of(request: str | urllib.request.Request) -> int:
    """Return the status of an answer that was read to its end, 0 if nobody answers."""
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  # our own
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def taskbell(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run another of its commands to its end."""
    return subprocess.run([TASKBELL, *arguments], capture_output=True, text=True, timeout=COMMAND_SECONDS)


def gone(processes: list[psutil.Process], timeout_seconds: float = STOP_SECONDS) -> list[psutil.Process]:
    """Return those that still run after a while; a dead one that nobody reaped does not run."""
    _, alive = psutil.wait_procs(processes, timeout=0.1)
    deadline = time.monotonic() + timeout_seconds
    while alive and time.monotonic() < deadline:
        alive = [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        time.sleep(0.05)
    return alive


def sanitised(text: str) -> str:
    """Return what was printed with its numbers replaced by N."""
    return re.sub(r"\d+(\.\d+)?", "N", text)


def python_for_everybody() -> tuple[Path, dict[str, str]]:
    """Return a Python that other accounts may run with these packages, and its environment; else skip."""
    site_packages = binaries.programs(None).parents[2]
    packages = [Path(binaries.__file__).parents[1], places.FUNCTIONS, site_packages]
    # Compiled packages fit one version only.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for python in (Path(sys.executable).resolve(), Path(f"/usr/bin/python{version}")):
        folders = {
            folder for place in (python, *(each / "x" for each in packages)) for folder in place.parents
        }
        if python.exists() and all(folder.stat().st_mode & stat.S_IXOTH for folder in folders):
            paths = os.pathsep.join(map(str, packages))
            return python, {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath}
    pytest.skip("no Python here that other accounts may run together with these packages")
