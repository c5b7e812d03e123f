"""`taskbell migrate`: applies the migrations that a database lacks. In: settings. Out: their names."""

from pathlib import Path
from typing import TYPE_CHECKING

from taskbell_local import migrate
from taskbell_local.database import connect, settings_of
from taskbell_local.errors import StackError

if TYPE_CHECKING:
    import psycopg

# These come with every Supabase project, and with nothing else. Looked for before anything is applied.
MISSING = """
select format('%s %I', kind, name)
from (values
  ('schema', 'auth', to_regnamespace('auth') is not null),
  ('schema', 'extensions', to_regnamespace('extensions') is not null),
  ('schema', 'vault', to_regnamespace('vault') is not null),
  ('role', 'anon', to_regrole('anon') is not null),
  ('role', 'authenticated', to_regrole('authenticated') is not null),
  ('role', 'service_role', to_regrole('service_role') is not null)
) as wanted (kind, name, found)
where not found
"""


def run(env_file: Path) -> None:
    """Print what was applied; a second time that is nothing."""
    import psycopg

    settings = settings_of(env_file)
    with connect(settings) as connection:
        missing = [name for (name,) in connection.execute(MISSING)]
    if missing:
        raise StackError(
            "not_supabase",
            f"This is no Supabase database (it lacks {', '.join(missing)}): take the DATABASE_URL of a "
            "project, from the dashboard, Connect, or try everything on this machine with `taskbell dev`.",
        )
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
    file = next(iter(getattr(error, "__notes__", [])), "A migration")
    return f"{file} failed and left nothing behind: {said}."
