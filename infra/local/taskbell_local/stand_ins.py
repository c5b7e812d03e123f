"""Lays out a plain Postgres the way Supabase lays out a project's database.

In: the address of a database, as its superuser `supabase_admin`. Out: Supabase's roles, and stand-ins for
its schemas auth, extensions, storage, vault, net, realtime and cron with the owners and grants they have
there, so that the migrations run unchanged as the non-superuser `postgres`. Touches nothing but that database
and its cluster's roles.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Profile = Literal["new", "old"]

_SQL = Path(__file__).parent / "sql"
_ORDER = (
    *("roles", "auth", "extensions", "storage", "vault", "net", "realtime", "cron"),
    *("refusals", "pre_created"),
)
# Where the real thing is installed, nothing stands in for it.
_REAL = {"vault": "supabase_vault", "net": "pg_net", "cron": "pg_cron"}
_INSTALLED = "select extname from pg_catalog.pg_extension where extversion <> 'stand-in'"
# Two installations at once would both try to create the same role; any fixed number serves as the lock.
_LOCK = 7_452_001


def install(superuser_url: str, *, profile: Profile = "new") -> None:
    """Install the stand-ins into one database; doing so again changes nothing.

    `profile` chooses Supabase's default privileges: "new" grants the API roles nothing that a migration
    does not grant, "old" (projects of before 2026) grants them everything in public.
    The role `postgres` takes over the superuser's password, and the database if it is nobody else's.

    Raises psycopg.Error, as when the address is not a superuser's.
    """
    import psycopg
    from psycopg import sql

    with psycopg.connect(superuser_url) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        real = {name for (name,) in connection.execute(_INSTALLED)}
        for name in (*_ORDER, f"default_privileges_{profile}"):
            if _REAL.get(name) not in real:
                connection.execute((_SQL / f"{name}.sql").read_bytes())
        password = connection.info.password
        if password:
            connection.execute(sql.SQL("alter role postgres password {}").format(sql.Literal(password)))
        connection.execute(
            sql.SQL("alter database {} owner to postgres").format(sql.Identifier(connection.info.dbname))
        )
