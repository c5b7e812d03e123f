"""A function served as the platform serves it: by the Functions Framework, with one worker.

In: a target, its settings. Out: an address that answers. Touches: one process group, one loopback port.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from taskbell_local.function_settings import own_environment
from taskbell_local.places import FUNCTIONS
from tests.stand_ins.ports import free_port

START_SECONDS = 60.0
POLL_SECONDS = 0.002


@dataclass(frozen=True)
class Served:
    """A function's process group: the leader holds the port, its worker answers."""

    process: subprocess.Popen[bytes]
    port: int
    started_at: float
    """On time.perf_counter's clock."""

    @property
    def processes(self) -> list[psutil.Process]:
        """The leader, and whoever it started."""
        leader = psutil.Process(self.process.pid)
        return [leader, *leader.children(recursive=True)]

    def worker(self) -> psutil.Process:
        """Return the process that answers."""
        return max(self.processes[1:], key=lambda one: one.pid)

    def cpu_seconds(self) -> float:
        """Return the processor time that all of it has taken so far."""
        times = [one.cpu_times() for one in self.processes]
        return sum(one.user + one.system for one in times)

    def memory_mb(self) -> float:
        """Return what all of it occupies; memory that processes share is counted once."""
        return sum(_resident(one) for one in self.processes) / 2**20


@contextlib.contextmanager
def served(
    target: str,
    settings: Mapping[str, str],
    folder: Path,
    *,
    threads: int,
    source: Path = FUNCTIONS / "main.py",
    python: Sequence[str] = (sys.executable,),
) -> Iterator[Served]:
    """Start a function and stop it at the end; whether it answers yet, `request` tells."""
    port = free_port()
    arguments = f"--target {target} --host 127.0.0.1 --port {port} --source".split()
    environment = {
        **own_environment(os.environ),
        "THREADS": str(threads),
        "XDG_RUNTIME_DIR": str(folder),
        **settings,
    }
    with (folder / f"{target}.log").open("ab") as log:
        started_at = time.perf_counter()
        process = subprocess.Popen(
            [*python, "-m", "functions_framework", *arguments, str(source)],
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    try:
        yield Served(process, port, started_at)
    finally:
        _end(process)


def request(function: Served, message: bytes) -> bytes:
    """Send a whole HTTP request as soon as somebody listens and return the whole answer."""
    ends_at = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", function.port), timeout=START_SECONDS)
        except ConnectionRefusedError:
            if function.process.poll() is not None or time.monotonic() > ends_at:
                raise TimeoutError("the function did not start") from None
            time.sleep(POLL_SECONDS)
        else:
            with connection:
                connection.sendall(message)
                return _read_all(connection)


def post(body: bytes, headers: Mapping[str, str], path: str = "/webhook") -> bytes:
    """Return a whole POST, after whose answer the connection ends."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str) -> bytes:
    """Return a whole GET, after whose answer the connection ends."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


def _resident(process: psutil.Process) -> int:
    full = process.memory_full_info()
    return int(getattr(full, "pss", 0) or full.rss)


def _read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def _end(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
