"""What `taskbell dev` is told, and what has to be so before it starts anything.

In: options. Out: nothing, or a StackError with a remedy. It makes the data folder, and holds a lock in it.
"""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from taskbell_local import places
from taskbell_local.errors import StackError

HTTP_PORT = 80


@dataclass(frozen=True)
class Options:
    """What the command was told; `public_url` is an origin that leads here too, such as a tunnel's."""

    port: int
    data: Path
    demo: bool
    page: Path = places.WEB
    public_url: str | None = None
    json_log: bool = False

    @property
    def url(self) -> str:
        """The page's address on this machine."""
        return "http://localhost" + ("" if self.port == HTTP_PORT else f":{self.port}")

    @property
    def hosts(self) -> set[str]:
        """The names that lead here beside those of this machine."""
        return set() if self.public_url is None else {urlsplit(self.public_url).netloc}


def check(options: Options) -> None:
    """Refuse what cannot work, before anything is started; raises StackError."""
    if not (options.page / "index.html").is_file():
        raise StackError(
            "no_page",
            f"There is no page in {options.page}: build one with `taskbell page OUT`, or leave --page out.",
        )
    _check_port(options.port)


@contextlib.contextmanager
def only_one(options: Options) -> Iterator[None]:
    """Refuse to run twice on one data folder; the lock goes with the process, however it ends."""
    try:
        options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(options.data / "dev.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StackError(
            "no_data_folder",
            f"Nothing can be kept in {options.data} ({error.strerror}): choose another folder with --data.",
        ) from error
    with os.fdopen(handle, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StackError(
                "already_running",
                f"A stack already runs on {options.data} ({lock.read().strip()}): stop it, or choose another"
                " folder with --data.",
            ) from error
        lock.truncate()
        lock.write(f"{options.url}, process {os.getpid()}")
        lock.flush()
        yield


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except PermissionError as error:
            raise StackError(
                "port_refused", f"Port {port} is for root only: choose one above 1023 with --port."
            ) from error
        except OSError as error:
            raise taken(port) from error


def taken(port: int) -> StackError:
    """Return the refusal of a port that somebody else listens on."""
    return StackError(
        "port_taken", f"Port {port} is taken: stop what uses it, or choose another with --port."
    )
