"""Under which account the Postgres server runs, and how that account is handed what it needs.

In: the cluster's folder, a command. Out: an unprivileged account, a process of it. As root it lends open
handles instead of opening folders; it changes no permission.
"""

import contextlib
import os
import pwd
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from taskbell_local.errors import PostgresError


@dataclass(frozen=True)
class Account:
    """An unprivileged account that runs the server in root's stead."""

    uid: int
    gid: int


def server_account(cluster: Path) -> Account | None:
    """Choose the account for the server: None is "as we are", which Postgres allows to everyone but root.

    A cluster that exists keeps its owner. `nobody` comes before `postgres`, which may own real databases.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (found := cluster.stat()).st_uid != 0:
        return Account(found.st_uid, found.st_gid)
    for name in ("nobody", "postgres", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise PostgresError(
        "no_account",
        "Postgres does not run as root and there is no account `nobody`: start taskbell as a normal user.",
    )


def spawn(
    command: list[str], account: Account | None, handles: tuple[int, ...], log_file: Path
) -> "subprocess.Popen[bytes]":
    """Start a program of Postgres: under the account, without our environment, away from our terminal.

    In a session of its own it does not hear Ctrl-C, which must not stop it before those who use it.
    """
    with os.fdopen(os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            pass_fds=handles,
            start_new_session=True,
            umask=0o077,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )


@contextlib.contextmanager
def reachable(folder: Path, account: Account | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name a folder so that the account reaches it although the folders above may be closed to it.

    Root opens it and hands the open handle down; the name under /proc leads straight to it.
    """
    if account is None or not Path("/proc/self/fd").exists():
        yield str(folder), ()
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}", (handle,)
    finally:
        os.close(handle)
