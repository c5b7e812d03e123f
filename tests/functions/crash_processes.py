"""The processes that are killed: the function as the Functions Framework serves it, and the relay.

In: settings. Out: processes, and when they died. Touches those processes and a log file each.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from taskbell_local.function_settings import own_environment
from taskbell_local.places import FUNCTIONS
from tests.functions.local_stack import status_of
from tests.stand_ins.ports import free_port
from tests.stand_ins.record import wait_until

START_SECONDS = 60.0
STOP_SECONDS = 30.0
RELAY = "import asyncio, sys; from taskbell_local.relay import relay; asyncio.run(relay(sys.argv[1]))"


class FunctionProcess:
    """The function `webhook` as it is deployed: one worker does the work, its leader holds the port."""

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.log_file = folder / "function.log"
        self.deaths: list[float] = []  # on time.monotonic's clock
        self._environment = {
            **own_environment(os.environ),
            **settings,
            "THREADS": "8",
            "XDG_RUNTIME_DIR": str(folder),
        }
        self._lock = threading.Lock()
        self._leader: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether it was started and not killed as a whole."""
        return self._leader is not None

    def start(self) -> None:
        """Start it, and return once it answers."""
        with self.log_file.open("ab") as log:
            leader = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "taskbell_local.function_main",
                    *f"--target webhook --host 127.0.0.1 --port {self._port} --source".split(),
                    str(FUNCTIONS / "main.py"),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        self._leader = leader
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if leader.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the function did not start:\n{self.log_file.read_text()[-4000:]}")
            time.sleep(0.02)

    def end(self) -> None:
        """Kill it unless that has been done."""
        if self.alive:
            self.kill()

    def kill_worker(self) -> None:
        """SIGKILL whoever does the work, and return when it is dead; the leader makes a new one."""
        with self._lock:
            self._kill(self._workers())

    def kill(self) -> None:
        """SIGKILL all of it, as a container dies, and return when it is dead."""
        with self._lock:
            leader, self._leader = self._running(), None
            os.killpg(leader.pid, signal.SIGKILL)
            if leader.stdin is not None:
                leader.stdin.close()
            leader.wait(STOP_SECONDS)
            self.deaths.append(time.monotonic())

    @contextlib.contextmanager
    def dead(self) -> Iterator[None]:
        """Kill the worker; there is no other until the end of the block."""
        with self._lock:
            leader, workers = self._running(), self._workers()
            leader.send_signal(signal.SIGSTOP)
            try:
                self._kill(workers)
                yield
            finally:
                leader.send_signal(signal.SIGCONT)

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of its answer, 0 if it died over it."""
        request = urllib.request.Request(self.url, body, dict(headers), method="POST")  # noqa: S310  our own
        return status_of(request)

    def _answers(self) -> bool:
        return self.post(b"", {}) != 0

    def _running(self) -> subprocess.Popen[bytes]:
        if self._leader is None:
            raise AssertionError("the function does not run")
        return self._leader

    def _workers(self) -> list[psutil.Process]:
        leader = psutil.Process(self._running().pid)
        workers: list[psutil.Process] = []

        def found() -> bool:
            workers[:] = [child for child in leader.children() if _runs(child)]
            return bool(workers)

        wait_until(found, "the leader has made a worker")
        return workers

    def _kill(self, workers: list[psutil.Process]) -> None:
        for worker in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
        wait_until(lambda: not any(map(_runs, workers)), "the worker is dead")
        self.deaths.append(time.monotonic())


def _runs(process: psutil.Process) -> bool:
    """Tell whether it does anything any more; a dead one that nobody reaped does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class RelayProcess:
    """What makes the database's HTTP calls, in a process of its own."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._command = [sys.executable, "-c", RELAY, database_url]
        self._log_file = folder / "relay.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    @property
    def alive(self) -> bool:
        """Whether it was started and not killed."""
        return self._process is not None

    def start(self) -> None:
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def kill(self) -> None:
        """SIGKILL; what it had taken from the queue and not yet answered is taken again by the next."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            self._process = None
            self.kills += 1
