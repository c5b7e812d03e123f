"""What every test may ask for: a Postgres server, started once, and a migrated database of its own."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.database.database import Database, make_template
from tests.database.pool import DatabasePool
from tests.database.servers import Server, debian_15, debian_is_missing, embedded
from tests.database.servers_with_extensions import lacking, with_extensions

BROWSERS = "tests/browser"


class OneBrowserAtATime(LoadFileScheduling):  # type: ignore[misc]  # it ships no types
    """Files go to whichever process is free; those of the browsers are one queue, for one of them.

    Two browsers at once take both cores for themselves, and each waits for what the other is doing.
    """

    def _split_scope(self, nodeid: str) -> str:
        return BROWSERS if nodeid.startswith(f"{BROWSERS}/") else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneBrowserAtATime | None:
    return OneBrowserAtATime(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The embedded Postgres, without any of our databases."""
    with tempfile.TemporaryDirectory(prefix="taskbell-test-") as folder, embedded(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def database_pool(postgres_server: Server) -> Iterator[DatabasePool]:
    """Migrated databases on the embedded Postgres."""
    with contextlib.closing(DatabasePool(postgres_server, make_template(postgres_server, "new"))) as pool:
        yield pool


@pytest.fixture
def database(database_pool: DatabasePool) -> Iterator[Database]:
    """A migrated database on the embedded Postgres, without a row in it; it may be altered at will."""
    with database_pool.database() as fresh:
        yield fresh


@pytest.fixture(scope="session")
def debian_server() -> Iterator[Server]:
    """Debian's Postgres 15; skipped, with the reason, where it is not installed."""
    if reason := debian_is_missing():
        if os.environ.get("TASKBELL_REQUIRE_POSTGRES_15"):
            pytest.fail(reason)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="taskbell-test-") as folder:
        Path(folder).chmod(0o711)  # the server's own account must pass through
        with debian_15(Path(folder) / "debian-15") as server:
            yield server


@pytest.fixture(scope="session", params=["embedded", "debian-15"])
def each_postgres_server(request: pytest.FixtureRequest) -> Server:
    """Both Postgres versions, one after the other."""
    server: Server = request.getfixturevalue(
        "postgres_server" if request.param == "embedded" else "debian_server"
    )
    return server


@pytest.fixture(scope="session")
def pg_net_server() -> Iterator[Server]:
    """Postgres 15 with pg_net and pg_cron themselves, in its database `postgres`, not yet migrated."""
    if missing := lacking():
        pytest.skip(f"{missing} not installed beside Postgres 15: only what stands in for it was tested")
    with tempfile.TemporaryDirectory(prefix="taskbell-test-") as folder:
        Path(folder).chmod(0o711)  # the server's own account must pass through
        with with_extensions(Path(folder) / "pg-net") as server:
            yield server
