"""Supabase's own command line applies the migrations, and its own lints find nothing to say about them.

On a fresh Debian Postgres 15 laid out like a project, whether it is empty or an application is there already.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taskbell_local.migrate import MIGRATIONS
from tests.database.application import EXISTING, laid_out, published
from tests.database.database import Database, project
from tests.database.servers import Server

CLI = "supabase@3.1.0"
SUPABASE = MIGRATIONS.parent / "infra" / "supabase"
VERSIONS = [(file.name[:14],) for file in sorted(MIGRATIONS.glob("*.sql"))]
RECORDED = "select version from supabase_migrations.schema_migrations order by 1"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def supabase(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The CLI from npm, which needs neither Docker nor an account for what is asked of it here."""
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npm is not installed: Supabase's own lints were not run on the migrations")
    # Its own `infra` for what it leaves behind; npm keeps the package itself between runs.
    folder = tmp_path_factory.mktemp("cli")
    (folder / "infra" / "supabase").mkdir(parents=True)
    shutil.copy(SUPABASE / "config.toml", folder / "infra" / "supabase")
    (folder / "infra" / "supabase" / "migrations").symlink_to(MIGRATIONS)
    environment = os.environ | {"DO_NOT_TRACK": "1", "SUPABASE_TELEMETRY_DISABLED": "1", "NO_COLOR": "1"}

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=300, cwd=folder, env=environment
        )

    found = run(npx, "--yes", "--package", CLI, "--", "sh", "-c", "command -v supabase")
    if found.returncode != 0:
        pytest.skip(f"npm could not get {CLI}: Supabase's own lints were not run ({found.stderr[-200:]!r})")
    return lambda *arguments: run(found.stdout.strip(), *arguments, "--workdir", "infra")


@pytest.fixture
def plain(debian_server: Server) -> Iterator[Database]:
    """A Supabase project that nobody has migrated yet."""
    with project(debian_server, "for_the_cli", "new") as database:
        yield database


def push(supabase: Run, database: Database) -> str:
    """Push, as the README says; returns what was said."""
    pushed = supabase("db", "push", "--yes", "--remote", database.url)
    assert 0 == pushed.returncode, pushed.stderr
    return pushed.stdout + pushed.stderr


@pytest.mark.slow
def test_it_applies_what_we_apply_once_and_its_lints_find_nothing(supabase: Run, plain: Database) -> None:
    push(supabase, plain)
    assert VERSIONS == plain.execute(RECORDED)
    before = everything(plain)
    assert "up to date" in push(supabase, plain)
    assert before == everything(plain)

    clean = supabase("db", "advisors", "--remote", plain.url, "--fail-on", "warn")
    assert 0 == clean.returncode, clean.stdout + clean.stderr

    # The lints do look: a table that anyone may read does not pass.
    plain.execute("create table public.open_to_all (id int)")
    plain.execute("grant all on public.open_to_all to anon")
    assert 0 != supabase("db", "advisors", "--remote", plain.url, "--fail-on", "warn").returncode


@pytest.mark.slow
def test_an_application_that_is_there_is_left_as_it_is_and_can_be_left_again(
    supabase: Run, plain: Database
) -> None:
    plain.execute(EXISTING)
    before, told = laid_out(plain), published(plain)
    push(supabase, plain)
    assert VERSIONS == plain.execute(RECORDED)
    assert before == laid_out(plain, but_our_triggers=True)
    assert "up to date" in push(supabase, plain)

    with plain.connect(autocommit=False) as connection:
        connection.execute((SUPABASE / "uninstall.sql").read_bytes())
    assert (before, told) == (laid_out(plain), published(plain))
    assert [] == plain.execute(RECORDED)
    push(supabase, plain)
    assert VERSIONS == plain.execute(RECORDED)


def everything(database: Database) -> list[tuple[str, ...]]:
    """Every row of the catalogs that a migration could have written, by the transaction that wrote it."""
    return database.execute(
        """
        select 'relation', oid::regclass::text, xmin::text from pg_class where oid >= 16384
        union all select 'function', oid::regprocedure::text, xmin::text from pg_proc where oid >= 16384
        union all select 'policy', polname, xmin::text from pg_policy
        union all select 'trigger', tgname, xmin::text from pg_trigger where not tgisinternal
        union all select 'job', jobname, xmin::text from cron.job
        union all select 'publication', prrelid::regclass::text, xmin::text from pg_publication_rel
        order by 1, 2, 3
        """
    )


def test_the_project_and_its_uninstaller_are_where_the_cli_looks() -> None:
    assert Path("../../migrations") == (SUPABASE / "migrations").readlink()
    assert {"config.toml", "migrations", "uninstall.sql"} <= {path.name for path in SUPABASE.iterdir()}
