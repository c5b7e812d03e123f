"""What the database's stories may ask for: everything, on both Postgres versions that Supabase could run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from taskbell_local.migrate import MIGRATIONS, migrate
from taskbell_local.stand_ins import Profile
from tests.database.database import Connection, Database, make_template, project
from tests.database.pool import DatabasePool
from tests.database.servers import Server
from tests.database.story import Story


@pytest.fixture(scope="session")
def database_pool(each_postgres_server: Server) -> Iterator[DatabasePool]:
    """Migrated databases on the embedded Postgres, and once more on Debian's Postgres 15."""
    server = each_postgres_server
    with contextlib.closing(DatabasePool(server, make_template(server, "new"))) as pool:
        yield pool


@pytest.fixture
def story(database: Database) -> Story:
    """An owner with a contact and an agent, in a database of their own."""
    return Story(database)


@pytest.fixture(scope="module", params=["new", "old"])
def profile(request: pytest.FixtureRequest) -> Profile:
    """Supabase's default privileges of today, and of before 2026."""
    chosen: Profile = request.param
    return chosen


@pytest.fixture(scope="module")
def migrated(each_postgres_server: Server, profile: Profile) -> Iterator[Database]:
    """A project to which the migrations were applied, as the non-superuser `postgres`."""
    with project(each_postgres_server, f"hosted_{profile}", profile) as database:
        assert [file.name for file in sorted(MIGRATIONS.glob("*.sql"))] == migrate(database.url)
        yield database


@pytest.fixture
def hosted(migrated: Database) -> Iterator[Connection]:
    """`postgres` in that project; what is tried is rolled back."""
    with migrated.connect(autocommit=False) as connection:
        yield connection
        connection.rollback()
