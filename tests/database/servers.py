"""Postgres servers for tests: the one from the wheel, and Debian's Postgres 15, which Supabase runs too."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from taskbell_local.postgres import EmbeddedPostgres
from tests.stand_ins.ports import free_port

# Another installation of Postgres 15 may stand in for Debian's, say one that has pg_net.
DEBIAN_BINARIES = Path(os.environ.get("TASKBELL_POSTGRES_15", "/usr/lib/postgresql/15/bin"))
START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A running server. Both addresses name the database `postgres`; `on` names another one."""

    name: str
    superuser_url: str
    url: str
    log: Path

    def on(self, database: str) -> Server:
        superuser_url, url = _with_path(self.superuser_url, database), _with_path(self.url, database)
        return Server(self.name, superuser_url, url, self.log)


def _with_path(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@contextlib.contextmanager
def embedded(data: Path) -> Iterator[Server]:
    with EmbeddedPostgres(data) as postgres:
        with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
            # Nobody cuts the power in a test; those that crash a server start their own.
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
        yield Server("embedded", postgres.superuser_url, postgres.url, postgres.log_file)


def debian_is_missing() -> str | None:
    """Why Debian's Postgres 15 cannot be used, or nothing."""
    if not (DEBIAN_BINARIES / "postgres").exists():
        return "Debian's Postgres 15 is not installed: the database was tested on the embedded version only"
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return "no account `postgres` to run Debian's Postgres 15 as: it refuses to run as root"
    return None


def debian_lacks(*extensions: str) -> list[str]:
    """Which of the extensions are not installed beside it."""
    found = subprocess.run(
        [DEBIAN_BINARIES / "pg_config", "--sharedir"], capture_output=True, text=True, check=True
    )
    folder = Path(found.stdout.strip()) / "extension"
    return [name for name in extensions if not (folder / f"{name}.control").exists()]


@contextlib.contextmanager
def debian_15(data: Path, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Debian's server, demoted if we are root, in a folder of its own that its account can reach."""
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    demoted = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    data.mkdir(mode=0o700)
    password_file = data / "password"
    password = secrets.token_urlsafe(18)
    password_file.write_text(password)
    if account:
        for path in (data, password_file):
            os.chown(path, account.pw_uid, account.pw_gid)
    cluster = data / "cluster"
    subprocess.run(
        [DEBIAN_BINARIES / "initdb", "-D", cluster, "-U", "supabase_admin", "-E", "UTF8", "--locale=C.UTF-8",
         "-A", "scram-sha-256", "--pwfile", password_file, "--no-sync", "--no-instructions"],
        check=True, stdout=subprocess.DEVNULL, cwd="/", **demoted,  # type: ignore[call-overload]
    )  # fmt: skip
    port = free_port()
    all_settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "wal_level": "logical",
                    "fsync": "off", "timezone": "UTC", "shared_buffers": "64MB", "jit": "off",
                    **(settings or {})}  # fmt: skip
    options = [part for item in all_settings.items() for part in ("-c", "=".join(item))]
    with (data / "log").open("wb") as log:
        server = subprocess.Popen(
            [DEBIAN_BINARIES / "postgres", "-D", cluster, "-p", str(port), *options],
            stdout=log, stderr=log, cwd="/", **demoted,  # type: ignore[call-overload]
        )  # fmt: skip
    try:
        url = f"postgresql://supabase_admin:{password}@127.0.0.1:{port}/postgres"
        _wait(url, server, data / "log")
        yield Server("debian-15", url, url.replace("supabase_admin", "postgres", 1), data / "log")
    finally:
        server.send_signal(2)  # fast: roll back and stop
        server.wait(timeout=START_SECONDS)
        shutil.rmtree(data, ignore_errors=True)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Postgres 15 did not start: {log.read_text()[-2000:]}") from error
            time.sleep(0.02)
        else:
            return
