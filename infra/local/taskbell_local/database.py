"""The database that a command works on. In: a file of settings. Out: a connection, or a sentence why not."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from taskbell.settings import is_loopback
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
    except OSError as error:
        raise StackError("unreadable_settings", f"{env_file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise StackError(
            "bad_settings", f"{env_file} holds something else than lines of NAME=value: name another file."
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
        raise _unreachable(url, str(error)) from error
    except psycopg.ProgrammingError as error:  # its words repeat the address, with the password
        raise StackError(
            "bad_database_url", "DATABASE_URL is no postgresql:// address: copy it from Supabase, Connect."
        ) from error


def _unreachable(url: str, said: str) -> StackError:
    """Return what to do about a database that does not let us in; libpq has no codes for it, only words."""
    if "password authentication failed" in said:
        return StackError("bad_password", "The database refuses the user or the password in DATABASE_URL.")
    host = urlsplit(url).hostname or ""
    if is_loopback(host):
        return StackError("not_running", f"The database does not answer: {START_IT}.")
    return StackError(
        "unreachable",
        f"The database at {host} does not answer: copy DATABASE_URL again from Supabase, Connect, Session"
        " pooler, which also has IPv4.",
    )


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
        raise not_migrated() from error
    return row and row[0]


def not_migrated() -> StackError:
    """Return the refusal of a database that has none of our tables and functions."""
    return StackError("not_migrated", "The database lacks our migrations: run `taskbell migrate --env FILE`.")
