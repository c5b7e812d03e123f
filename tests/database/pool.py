"""Databases for tests, used again where a test left the schema as it was: to copy one takes long."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

import psycopg
from psycopg import sql

from tests.database.database import Connection, Database
from tests.database.servers import Server

_numbers = itertools.count()

# Whoever creates, drops, replaces, alters or grants anything changes a row here, and with it the row's xmin.
# (Statistics are written in place, and change none.)
_FINGERPRINT = """
select sum(hashtext(c)) from (
  select oid || ' ' || xmin from pg_class where oid >= 16384
  union all select oid || ' ' || xmin from pg_proc where oid >= 16384
  union all select oid || ' ' || xmin from pg_trigger where not tgisinternal
  union all select oid || ' ' || xmin from pg_policy
  union all select oid || ' ' || xmin from pg_constraint where oid >= 16384
  union all select oid || ' ' || xmin from pg_namespace where oid >= 16384
  union all select oid || ' ' || xmin from pg_publication_rel
  union all select attrelid || ' ' || attnum || ' ' || xmin from pg_attribute where attrelid >= 16384
) as x (c)
"""

# Rows that the migrations wrote, and that describe the schema.
_KEPT = (
    "taskbell.application_tables",
    "taskbell.sources",
    "cron.job",
    "supabase_migrations.schema_migrations",
)

_EMPTY = """
do $$
declare
  v_table regclass;
  v_any boolean;
begin
  for v_table in
    select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('public', 'taskbell', 'auth', 'vault', 'net', 'realtime', 'cron')
      and n.nspname || '.' || c.relname <> all (string_to_array(current_setting('pool.kept'), ' '))
  loop
    execute format('select exists (select from %s)', v_table) into v_any;
    if v_any then
      execute format('delete from %s where true', v_table);
    end if;
  end loop;
end
$$
"""


class DatabasePool:
    """Copies of one template on one server."""

    def __init__(self, server: Server, template: str) -> None:
        self._server = server
        self._template = template
        self._idle: list[str] = []

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """A database as the template is; whatever is still connected to it at the end is cut off."""
        with psycopg.connect(self._server.superuser_url, autocommit=True) as admin:
            name = self._idle.pop() if self._idle else self._copy(admin)
            here = self._server.on(name)
            with psycopg.connect(here.superuser_url, autocommit=True) as connection:
                [before] = connection.execute(_FINGERPRINT).fetchall()
            database = Database(name, here.url, here.superuser_url)
            try:
                with contextlib.closing(database):
                    yield database
            finally:
                if _cleaned(here.superuser_url, before):
                    self._idle.append(name)
                else:
                    _drop(admin, name)

    def close(self) -> None:
        """Drop what is left."""
        with psycopg.connect(self._server.superuser_url, autocommit=True) as admin:
            while self._idle:
                _drop(admin, self._idle.pop())

    def _copy(self, admin: Connection) -> str:
        name = f"test_{next(_numbers)}"
        admin.execute(
            sql.SQL("create database {} template {} owner postgres").format(
                sql.Identifier(name), sql.Identifier(self._template)
            )
        )
        return name


def _cleaned(superuser_url: str, before: tuple[object, ...]) -> bool:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid() "
            "and backend_type = 'client backend'"
        )
        [after] = connection.execute(_FINGERPRINT).fetchall()
        if before != after:
            return False
        connection.execute("select set_config('pool.kept', %s, false)", (" ".join(_KEPT),))
        connection.execute("set session_replication_role = replica")  # no triggers, no foreign keys
        connection.execute(_EMPTY)
        connection.execute(
            "select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) "
            "from pg_sequences where schemaname <> 'cron' and last_value is not null"
        )
    return True


def _drop(admin: Connection, name: str) -> None:
    admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
