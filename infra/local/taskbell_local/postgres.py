"""A Postgres server of our own, from a wheel, that survives its starter.

In: a data folder. Out: URLs of a running server. It may write below the data folder, start, find and stop the
one server whose cluster lies there, and listen on one loopback port; nothing else.

    DATA/postgres/          the cluster, owned by the account that runs the server
    DATA/postgres.password  (0600) made before the cluster
    DATA/postgres.log       (0600) what the server says
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from taskbell_local import postmaster
from taskbell_local.account import Account, reachable, server_account, spawn
from taskbell_local.binaries import programs
from taskbell_local.errors import PostgresError
from taskbell_local.ports import free_ports
from taskbell_local.private_file import write_private

__all__ = ["EmbeddedPostgres", "PostgresError"]

START_SECONDS = 30.0  # recovery after a crash included
STOP_SECONDS = 20.0
BOOTSTRAP_SUPERUSER = "supabase_admin"  # as on Supabase, where `postgres` is no superuser
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "timezone": "UTC",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "jit": "off",  # short statements only: compiling them costs more than it saves
    "log_min_error_statement": "panic",  # statements can contain secrets
}


class EmbeddedPostgres:
    """The server whose cluster lies below `data`; created at the first start and kept between runs.

    `start` reattaches to a server that outlived its starter, and recovers one that crashed. `url` is the role
    `postgres`, which the stand-ins create with the same password; `superuser_url` is `supabase_admin`.
    Raises PostgresError. As root the server runs under another account and no folder is opened for it.
    """

    def __init__(self, data: Path) -> None:
        self.data = data.absolute()
        self.cluster = self.data / "postgres"
        self.log_file = self.data / "postgres.log"
        self._password_file = self.data / "postgres.password"
        self.reattached = False
        self._last_port = 0  # taken again after a crash: others know our URL
        self._child: subprocess.Popen[bytes] | None = None
        self._server: postmaster.Server | None = None

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self._running().pid

    @property
    def port(self) -> int:
        """The loopback TCP port."""
        return self._running().port

    @property
    def alive(self) -> bool:
        """Whether the server that was started still runs."""
        child, server = self._child, self._server
        return (
            child.poll() is None if child is not None else server is not None and postmaster.is_ours(server)
        )

    @property
    def superuser_url(self) -> str:
        """The URL of the bootstrap superuser."""
        return self._url(BOOTSTRAP_SUPERUSER)

    @property
    def url(self) -> str:
        """The URL of the role `postgres`, under which migrations and functions run."""
        return self._url("postgres")

    @property
    def password(self) -> str:
        """The password of both roles, made at the first call."""
        if not self._password_file.exists():
            write_private(self._password_file, secrets.token_urlsafe(24))
        return self._password_file.read_text()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return once the server takes connections: reattached, recovered, started or newly made."""
        if not self.data.exists():
            self.data.mkdir(parents=True, mode=0o700)
        with _locked(self.data):
            account = server_account(self.cluster)
            made = self.cluster.exists()
            if made:
                self._check_ours(account)
            if (server := postmaster.find(self.cluster, START_SECONDS)) is not None:
                self._server, self._last_port, self.reattached = server, server.port, True
                return
            folder = programs(account)
            if not made:
                self._initialise(folder, account)
            self._launch(folder, account)

    def stop(self) -> None:
        """Stop fast: open transactions roll back, what was committed is on disk. Stopped already is fine."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Crash the server, as a power cut would."""
        self._end(signal.SIGKILL)

    def _running(self) -> postmaster.Server:
        if self._server is None:
            raise PostgresError("not_started", "The embedded Postgres has not been started.")
        return self._server

    def _url(self, role: str) -> str:
        return f"postgresql://{role}:{self.password}@127.0.0.1:{self.port}/postgres"

    def _initialise(self, folder: Path, account: Account | None) -> None:
        """Make the cluster under another name, so that an interrupted start leaves nothing half made."""
        unfinished = self.data / "postgres.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if account is not None:
            os.chown(unfinished, account.uid, account.gid)
        reading, writing = os.pipe()
        if account is not None:
            os.fchown(reading, account.uid, account.gid)  # initdb opens it by name
        with os.fdopen(writing, "w") as pipe:
            pipe.write(self.password)
        # Unsynced: a power cut in the first half minute may cost the new and still empty cluster, no more.
        options = (
            f"--username={BOOTSTRAP_SUPERUSER} --encoding=UTF8 --locale=C --locale-provider=builtin"
            f" --builtin-locale=C.UTF-8 --auth=scram-sha-256 --pwfile=/dev/fd/{reading}"
            " --no-instructions --no-sync"
        )
        try:
            with reachable(unfinished, account) as (path, handles):
                command = [str(folder / "initdb"), "-D", path, *options.split()]
                failed = spawn(command, account, (*handles, reading), self.log_file).wait() != 0
        finally:
            os.close(reading)
        if failed:
            why = _reason(self.log_file.read_text(errors="replace"))
            raise PostgresError(
                "initdb_failed", f"Postgres could not make its files{why}; see {self.log_file}."
            )
        unfinished.rename(self.cluster)

    def _check_ours(self, account: Account | None) -> None:
        owner = self.cluster.stat().st_uid
        if owner != (os.geteuid() if account is None else account.uid):
            raise PostgresError(
                "foreign_cluster",
                f"{self.cluster} belongs to another account (uid {owner}): run taskbell as that account"
                " or as root, or choose another folder with --data.",
            )
        if not self._password_file.exists():
            raise PostgresError(
                "password_lost",
                f"{self.cluster} is there, but not its password ({self._password_file.name}): put that file"
                " back, or remove the folder to start afresh.",
            )

    def _launch(self, folder: Path, account: Account | None) -> None:
        """Start the server; again on another port, or a little later while a crashed one still lets go."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            written = self.log_file.stat().st_size if self.log_file.exists() else 0
            port = _free_port(self._last_port)
            settings = [f"--{name}={value}" for name, value in SERVER_SETTINGS.items()]
            with reachable(self.cluster, account) as (path, handles):
                command = [str(folder / "postgres"), "-D", path, "-p", str(port), *settings]
                self._child = spawn(command, account, handles, self.log_file)
            self._server = postmaster.await_ready(self.cluster, self._child, deadline)
            if self._server is not None:
                self._last_port, self.reattached = port, False
                return
            self._child = None
            said = self.log_file.read_bytes()[written:].decode(errors="replace")
            passing = "Address already in use" in said or "shared memory block" in said
            if not passing or time.monotonic() > deadline:
                raise PostgresError(
                    "start_failed",
                    f"Postgres did not start{_reason(said)}; see {self.log_file}, or remove {self.cluster}"
                    " to start afresh.",
                )
            time.sleep(0.05)

    def _end(self, how: signal.Signals) -> None:
        server, child = self._server, self._child
        self._server = self._child = None
        if server is None:
            return
        postmaster.end(server, child, how, STOP_SECONDS)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time look for the server or start it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _reason(log: str) -> str:
    """Return `: ` and what the server itself gave as the reason of its end, or nothing."""
    _, found, reason = log.rpartition("FATAL:  ")
    return f": {reason.splitlines()[0]}" if found else ""


def _free_port(preferred: int) -> int:
    """Return the preferred loopback port if it is free, or any that is."""
    if preferred:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Postgres does
            probe.bind(("127.0.0.1", preferred))
            return preferred
    return free_ports(1)[0]
