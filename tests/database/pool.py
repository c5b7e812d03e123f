"""Databases for tests, used again where a test left the schema as it was: to copy one takes long."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

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


@dataclass
class _Copy:
    """A copy of the template, with the superuser's connection by which it is looked at and emptied.

    To connect costs more than all that is asked, so each copy keeps its own.
    """

    name: str
    here: Server
    connection: Connection
    fingerprint: tuple[object, ...]


class DatabasePool:
    """Copies of one template on one server."""

    def __init__(self, server: Server, template: str) -> None:
        self._server = server
        self._template = template
        self._idle: list[_Copy] = []

    @cached_property
    def _admin(self) -> Connection:
        return psycopg.connect(self._server.superuser_url, autocommit=True)

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """A database as the template is; whatever is still connected to it at the end is cut off."""
        copy = self._idle.pop() if self._idle else self._new_copy()
        database = Database(copy.name, copy.here.url, copy.here.superuser_url)
        try:
            with contextlib.closing(database):
                yield database
        finally:
            if _cleaned(copy):
                self._idle.append(copy)
            else:
                self._drop(copy)

    def close(self) -> None:
        """Drop what is left."""
        while self._idle:
            self._drop(self._idle.pop())
        self._admin.close()

    def _new_copy(self) -> _Copy:
        name = f"test_{next(_numbers)}"
        self._admin.execute(
            sql.SQL("create database {} template {} owner postgres").format(
                sql.Identifier(name), sql.Identifier(self._template)
            )
        )
        here = self._server.on(name)
        connection = psycopg.connect(here.superuser_url, autocommit=True)
        connection.execute("select set_config('pool.kept', %s, false)", (" ".join(_KEPT),))
        connection.execute("set session_replication_role = replica")  # no triggers, no foreign keys
        [fingerprint] = connection.execute(_FINGERPRINT).fetchall()
        return _Copy(name, here, connection, fingerprint)

    def _drop(self, copy: _Copy) -> None:
        copy.connection.close()
        self._admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(copy.name)))


def _cleaned(copy: _Copy) -> bool:
    try:
        copy.connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid() "
            "and backend_type = 'client backend'"
        )
        if copy.connection.execute(_FINGERPRINT).fetchall() != [copy.fingerprint]:
            return False
        copy.connection.execute(_EMPTY)
        copy.connection.execute(
            "select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) "
            "from pg_sequences where schemaname <> 'cron' and last_value is not null"
        )
    except psycopg.OperationalError:  # a test broke this connection too
        return False
    return True
