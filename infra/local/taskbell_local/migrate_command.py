"""`taskbell migrate`: applies the migrations that a database lacks. In: settings. Out: their names."""

from pathlib import Path

from taskbell_local import migrate
from taskbell_local.database import connect, settings_of
from taskbell_local.errors import StackError


def run(env_file: Path) -> None:
    """Print what was applied; a second time that is nothing."""
    import psycopg

    settings = settings_of(env_file)
    connect(settings).close()
    try:
        applied = migrate.migrate(settings["DATABASE_URL"])
    except psycopg.Error as error:
        said = error.diag.message_primary or type(error).__name__
        raise StackError("migration_failed", f"A migration failed and left nothing behind: {said}") from error
    for name in applied:
        print(f"applied {name}")
    if not applied:
        print("nothing to do: the database has every migration")
