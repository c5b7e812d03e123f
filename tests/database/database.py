"""A migrated database of a test's own, and the ways in: as owner, as service role, as a signed-in user."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from taskbell_local.migrate import migrate
from taskbell_local.stand_ins import Profile, install
from tests.database.servers import Server

Connection = psycopg.Connection[tuple[Any, ...]]
PATIENCE = "-c lock_timeout=20s -c statement_timeout=60s"  # a test that waits for a lock in vain fails


@dataclass
class Database:
    """`url` is the role postgres, as which migrations ran; `superuser_url` is supabase_admin."""

    name: str
    url: str = field(repr=False)
    superuser_url: str = field(repr=False)

    @cached_property
    def _own(self) -> Connection:
        """One connection for all that is asked here: to connect costs more than most questions."""
        return self.connect()

    def close(self) -> None:
        if "_own" in self.__dict__:
            self._own.close()

    def connect(self, *, autocommit: bool = True) -> Connection:
        """A connection as `postgres`."""
        return psycopg.connect(self.url, autocommit=autocommit, options=PATIENCE)

    def execute(self, query: str, *params: object) -> list[tuple[Any, ...]]:
        """Run one statement as `postgres` and return its rows, if it has any."""
        cursor = self._own.execute(query.encode(), params or None)
        return cursor.fetchall() if cursor.description else []

    def value(self, query: str, *params: object) -> Any:
        """The only value of the only row."""
        [(value,)] = self.execute(query, *params)
        return value

    def user(self, email: str | None = None) -> str:
        """A new user of the project; returns the id."""
        user_id = str(uuid.uuid4())
        self.execute("insert into auth.users (id, email) values (%s, %s)", user_id, email)
        return user_id

    def rpc(self, function: str, **params: object) -> Any:
        """Call public.<function> as the service role, by parameter names as PostgREST does."""
        with self._own.transaction():
            sign_in(self._own, "service_role")
            return call(self._own, function, **params)

    def rpc_as(self, user_id: str, function: str, **params: object) -> Any:
        """Call public.<function> as a signed-in user."""
        with self._own.transaction():
            sign_in(self._own, "authenticated", user_id)
            return call(self._own, function, **params)

    @contextlib.contextmanager
    def signed_in(
        self, role: str, user_id: str | None = None, *, anonymous: bool = False
    ) -> Iterator[Connection]:
        """A transaction on a connection of its own, as that role and user; committed at the end."""
        with self.connect(autocommit=False) as connection:
            sign_in(connection, role, user_id, anonymous=anonymous)
            yield connection


def sign_in(
    connection: Connection, role: str, user_id: str | None = None, *, anonymous: bool = False
) -> None:
    """Set what PostgREST sets for a request, until the transaction ends."""
    claims = {"role": role, "is_anonymous": anonymous} | ({"sub": user_id} if user_id else {})
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))


def call(connection: Connection, function: str, **params: object) -> Any:
    """Call public.<function> with named parameters; dicts, and lists of them, go as jsonb."""
    query = sql.SQL("select public.{}({})").format(
        sql.Identifier(function),
        sql.SQL(", ").join(sql.SQL("{} => {}").format(sql.Identifier(n), sql.Placeholder(n)) for n in params),
    )
    [(value,)] = connection.execute(query, {n: _adapted(v) for n, v in params.items()}).fetchall()
    return value


def _adapted(value: object) -> object:
    if isinstance(value, dict) or (isinstance(value, list) and (not value or isinstance(value[0], dict))):
        return Jsonb(value)
    return value


@contextlib.contextmanager
def project(server: Server, name: str, profile: Profile) -> Iterator[Database]:
    """A Supabase project that nobody has migrated yet, dropped at the end."""
    here = server.on(name)
    with psycopg.connect(server.superuser_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            install(here.superuser_url, profile=profile)
            with contextlib.closing(Database(name, here.url, here.superuser_url)) as database:
                yield database
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def make_template(server: Server, profile: Profile) -> str:
    """Make a migrated database to copy, unless the server has it; returns its name."""
    name = f"template_{profile}"
    with psycopg.connect(server.superuser_url, autocommit=True) as admin:
        if admin.execute("select from pg_database where datname = %s", (name,)).fetchall():
            return name
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    here = server.on(name)
    install(here.superuser_url, profile=profile)
    migrate(here.url)
    return name
