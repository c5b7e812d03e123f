"""The database that a command works on. In: a file of settings. Out: a connection, or a sentence why not."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskbell_local.env_file import read_env
from taskbell_local.errors import StackError

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 3
START_IT = "start it with `taskbell dev`, or name the settings of a deployment with --env FILE"


def settings_of(env_file: Path) -> dict[str, str]:
    """Read the settings; raises StackError where there are none."""
    try:
        return read_env(env_file)
    except FileNotFoundError as error:
        raise StackError(
            "not_running", f"There is no {env_file}, so no stack runs here: {START_IT}."
        ) from error
    except (OSError, ValueError) as error:
        raise StackError(
            "unreadable_settings", f"{env_file} cannot be read as settings ({error})."
        ) from error


def connect(settings: dict[str, str]) -> "psycopg.Connection":
    """Connect, each statement a transaction of its own; raises StackError."""
    import psycopg

    url = settings.get("DATABASE_URL")
    if not url:
        raise StackError(
            "no_database_url", "The settings hold no DATABASE_URL: copy it from Supabase, Connect."
        )
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS)
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise StackError(
                "bad_password", "The database refuses the user or the password in DATABASE_URL."
            ) from error
        raise StackError("not_running", f"The database does not answer: {START_IT}.") from error


def call(connection: "psycopg.Connection", function: str, *arguments: object) -> Any:
    """Call one of Taskbell's database functions and return its JSON; raises StackError."""
    import psycopg
    from psycopg import sql

    places = sql.SQL(", ").join(sql.Placeholder() for _ in arguments)
    try:
        row = connection.execute(
            sql.SQL("select public.{}({})").format(sql.Identifier(function), places), arguments
        ).fetchone()
    except psycopg.errors.UndefinedFunction as error:
        raise StackError(
            "not_migrated", "The database lacks our migrations: run `taskbell migrate`."
        ) from error
    return row and row[0]
