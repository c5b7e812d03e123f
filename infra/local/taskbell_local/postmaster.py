"""What a Postgres server says about itself in `postmaster.pid`: alive, ours, ready.

In: the cluster's folder. Out: a Server or None. It may read that file, remove it when it is stale, and signal
the process it names once that is known to be this cluster's server.
"""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.005


@dataclass(frozen=True)
class Server:
    """A postmaster and its loopback port; `status` is `starting`, `ready` or `stopping`."""

    cluster: Path
    pid: int
    port: int
    status: str


def read(cluster: Path) -> Server | None:
    """Read `postmaster.pid`; None if it is absent or not yet complete.

    Lines: pid, folder, start time, port, socket folder, address, shared memory, status (Postgres: pidfile.h).
    """
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        return Server(cluster, int(lines[0]), int(lines[3]), lines[7].strip())
    except (FileNotFoundError, IndexError, ValueError):
        return None


def find(cluster: Path, timeout_seconds: float) -> Server | None:
    """Find a running server of this cluster, waiting while it starts or stops; clear away a stale file."""
    deadline = time.monotonic() + timeout_seconds
    while (server := read(cluster)) is not None and is_ours(server):
        if server.status == "ready":
            return server
        if time.monotonic() > deadline:
            return None
        time.sleep(POLL_SECONDS)
    # The pid may be another program's by now, which Postgres would take for a live server. Were children of a
    # crashed one still alive, their shared memory would stop a second server all the same.
    with contextlib.suppress(FileNotFoundError):
        (cluster / "postmaster.pid").unlink()
    return None


def is_ours(server: Server) -> bool:
    """Tell whether the process is alive and works in this very cluster."""
    if not _alive(server.pid):
        return False
    link = Path(f"/proc/{server.pid}/cwd")
    if link.parent.parent.is_dir() and Path("/proc/self").exists():
        try:
            return link.samefile(server.cluster)
        except OSError:
            return False
    shown = subprocess.run(
        ["ps", "-o", "command=", "-p", str(server.pid)], capture_output=True, text=True, check=False
    )
    return str(server.cluster) in shown.stdout


def await_ready(cluster: Path, child: "subprocess.Popen[bytes]", deadline: float) -> Server | None:
    """Wait until the child takes connections; None if it ended or took too long (and was killed)."""
    while child.poll() is None:
        server = read(cluster)
        if server is not None and server.pid == child.pid and server.status == "ready":
            return server
        if time.monotonic() > deadline:
            child.kill()
            child.wait()
            return None
        time.sleep(POLL_SECONDS)
    return None


def end(
    server: Server, child: "subprocess.Popen[bytes] | None", how: signal.Signals, timeout_seconds: float
) -> None:
    """Signal the server and wait for its end; after the time-out it is killed."""
    for attempt in (how, signal.SIGKILL):
        deadline = time.monotonic() + timeout_seconds
        if child is None and not is_ours(server):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, attempt)
        while time.monotonic() < deadline:
            if child.poll() is not None if child is not None else not _alive(server.pid):
                return
            time.sleep(POLL_SECONDS)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):  # an orphan that nobody reaped is dead all the same
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True
