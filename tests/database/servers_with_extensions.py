"""Postgres 15 with the extensions that the stand-ins stand in for, where somebody has installed them.

pg_net is in no distribution: it is built from Supabase's public repository. pg_cron is Debian's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg

from taskbell_local.stand_ins import install
from tests.database.servers import Server, debian_15, debian_is_missing, debian_lacks

PRELOADED = {
    "shared_preload_libraries": "pg_net,pg_cron",
    "cron.database_name": "postgres",
    "cron.use_background_workers": "on",
}
# What Supabase's own scripts grant when an extension is made.
GRANTS = """
grant usage on schema cron to postgres;
grant select on cron.job to postgres;
grant all on cron.job_run_details to postgres;
"""


def lacking() -> str:
    """What is not installed here, or nothing."""
    return debian_is_missing() or ", ".join(debian_lacks("pg_net", "pg_cron"))


@contextlib.contextmanager
def with_extensions(data: Path) -> Iterator[Server]:
    """A project in the database `postgres`, the only one that pg_net and pg_cron work in."""
    with debian_15(data, PRELOADED) as server:
        with psycopg.connect(server.superuser_url, autocommit=True) as superuser:
            superuser.execute("create schema extensions")
            superuser.execute("create extension pg_net with schema extensions")
            superuser.execute("create extension pg_cron with schema pg_catalog")
            install(server.superuser_url)
            superuser.execute(GRANTS.encode())
        yield server
