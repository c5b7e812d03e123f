"""Supabase's own command line applies the migrations, and its own lints find nothing to say about them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taskbell_local.migrate import MIGRATIONS
from tests.database.database import Database, project
from tests.database.servers import Server

CLI = "supabase@3.1.0"
SUPABASE = MIGRATIONS.parent / "infra" / "supabase"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def supabase(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The CLI from npm, which needs neither Docker nor an account for what is asked of it here."""
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npm is not installed: Supabase's own lints were not run on the migrations")
    # Its own folder for what it leaves behind.
    folder = tmp_path_factory.mktemp("cli")
    (folder / "supabase").mkdir()
    shutil.copy(SUPABASE / "config.toml", folder / "supabase")
    (folder / "supabase" / "migrations").symlink_to(MIGRATIONS)
    environment = os.environ | {"DO_NOT_TRACK": "1", "SUPABASE_TELEMETRY_DISABLED": "1", "NO_COLOR": "1"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [npx, "--yes", CLI, *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            cwd=folder,
            env=environment,
        )

    if (version := run("--version")).returncode != 0:
        pytest.skip(f"npm could not get {CLI}: Supabase's own lints were not run ({version.stderr[-200:]!r})")
    return run


@pytest.fixture
def plain(postgres_server: Server) -> Iterator[Database]:
    with project(postgres_server, "for_the_cli", "new") as database:
        yield database


@pytest.mark.slow
def test_it_applies_what_we_apply_and_its_lints_find_nothing(supabase: Run, plain: Database) -> None:
    pushed = supabase("db", "push", "--yes", "--remote", plain.url)
    assert 0 == pushed.returncode, pushed.stderr
    versions = plain.execute("select version from supabase_migrations.schema_migrations order by 1")
    assert [(file.name[:14],) for file in sorted(Path(MIGRATIONS).glob("*.sql"))] == versions

    again = supabase("db", "push", "--yes", "--remote", plain.url)
    assert "up to date" in again.stdout + again.stderr

    clean = supabase("db", "advisors", "--remote", plain.url, "--fail-on", "warn")
    assert 0 == clean.returncode, clean.stdout + clean.stderr

    # The lints do look: a table that anyone may read does not pass.
    plain.execute("create table public.open_to_all (id int)")
    plain.execute("grant all on public.open_to_all to anon")
    assert 0 != supabase("db", "advisors", "--remote", plain.url, "--fail-on", "warn").returncode


def test_the_project_and_its_uninstaller_are_where_the_cli_looks() -> None:
    assert Path("../../migrations") == (SUPABASE / "migrations").readlink()
    assert {"config.toml", "migrations", "uninstall.sql"} <= {path.name for path in SUPABASE.iterdir()}
