"""`taskbell migrate`: applies the migrations that a database lacks. In: settings. Out: their names."""

from pathlib import Path
from typing import TYPE_CHECKING

from taskbell_local import migrate
from taskbell_local.database import connect, settings_of
from taskbell_local.errors import StackError

if TYPE_CHECKING:
    import psycopg

# Their roles and schemas come with every Supabase project, and with nothing else.
SUPABASE = ("authenticated", "anon", "service_role", "auth", "extensions", "vault")


def run(env_file: Path) -> None:
    """Print what was applied; a second time that is nothing."""
    import psycopg

    settings = settings_of(env_file)
    connect(settings).close()
    try:
        applied = migrate.migrate(settings["DATABASE_URL"])
    except psycopg.Error as error:
        raise StackError("migration_failed", _sentence(error)) from error
    for name in applied:
        print(f"applied {name}")
    if not applied:
        print("nothing to do: the database has every migration")


def _sentence(error: "psycopg.Error") -> str:
    said = error.diag.message_primary or type(error).__name__
    if said.endswith("does not exist") and any(f'"{name}"' in said for name in SUPABASE):
        return (
            f"This is no Supabase database ({said}): take the DATABASE_URL of a project, from the dashboard, "
            "Connect, or try everything on this machine with `taskbell dev`."
        )
    file = next(iter(getattr(error, "__notes__", [])), "A migration")
    return f"{file} failed and left nothing behind: {said}."
