"""Applies the migrations, and records them the way the Supabase CLI does.

In: the address of a database as the role that shall own what is created (`postgres`, no superuser).
Out: the names of the files that were applied. Touches that database only; each file is one transaction.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
# Two who migrate at once take turns; any fixed number serves as the lock.
_LOCK = 7_452_002

_RECORD = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text not null primary key, statements text[], name text
);
"""


def migrate(url: str, *, directory: Path = MIGRATIONS) -> list[str]:
    """Apply, in order, every migration that the database does not have yet.

    `url` is a libpq address or connection string. Returns the file names that were applied, oldest first:
    empty when there was nothing to do. Raises psycopg.Error for the first file that fails; that file leaves
    no trace, earlier ones stay.
    """
    import psycopg

    files = sorted(directory.glob("*.sql"))
    if not files:
        raise FileNotFoundError(f"no migrations in {directory}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        connection.execute(_RECORD)
        known = {
            version
            for (version,) in connection.execute("select version from supabase_migrations.schema_migrations")
        }
        pending = [file for file in files if _version(file) not in known]
        for file in pending:
            _apply(connection, file)
    return [file.name for file in pending]


def changed(url: str, *, directory: Path = MIGRATIONS) -> list[str]:
    """Return the names of files that say something else than when `migrate` gave them to this database."""
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute("select to_regclass('supabase_migrations.schema_migrations')").fetchone()
        if row == (None,):
            return []
        given: dict[str, list[str]] = dict(
            connection.execute("select version, statements from supabase_migrations.schema_migrations")
        )
    return [
        file.name
        for file in sorted(directory.glob("*.sql"))
        if _version(file) in given and given[_version(file)] != [file.read_text(encoding="utf-8")]
    ]


def _version(file: Path) -> str:
    return file.name.partition("_")[0]


def _apply(connection: psycopg.Connection[tuple[object, ...]], file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    with connection.transaction():
        try:
            connection.execute(text.encode())
        except connection.Error as error:
            error.add_note(file.name)
            raise
        connection.execute(
            "insert into supabase_migrations.schema_migrations (version, name, statements) "
            "values (%s, %s, %s)",
            (_version(file), file.stem.partition("_")[2], [text]),
        )
