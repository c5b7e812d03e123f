"""The gateway straight to Postgres, for the embedded stack and for whoever prefers the pooler.

In: a function's name and JSON. Out: JSON. Touches Postgres through a pool of connections, opened by the first
call. Does what PostgREST does: each call is one transaction under the caller's role, with the caller's
claims, and the parameters are read as the function's own types.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import UndefinedFunction
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from taskbell.errors import GatewayError
from taskbell.gateway.inbox_listener import InboxListener
from taskbell.gateway.refusal import refused, unavailable
from taskbell.model import Json, User

CONNECT_SECONDS = 2
STATEMENT_SECONDS = 8.0
"""What hosted Supabase grants a signed-in user; nothing of ours takes longer."""

MAX_CONNECTIONS = 10

_SIGNATURE = """
select array(
  select quote_ident(a.name) || ' ' || format_type(a.type, null)
  from unnest(p.proargnames, p.proargtypes::oid[]) with ordinality a (name, type, position)
  where a.position <= p.pronargs
  order by a.position
)
from pg_proc p
where p.pronamespace = 'public'::regnamespace and p.proname = %s
"""
"""The parameters of a function, as a column list; ours are not overloaded and have only plain names."""

_AS_CALLER = sql.SQL(
    "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true),"
    " set_config('statement_timeout', %s, true)"
)

# The pool logs libpq's own words, which quote a URL that it cannot read, password and all. What a call came
# to is an error of ours, and `taskbell doctor` knows why.
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)


class PostgresGateway:
    """Calls database functions over psycopg; safe for many threads and after a fork.

    `database_url` is a libpq URL of a role that may become service_role and authenticated. Port 6543 is
    Supabase's transaction pooler, which knows neither prepared statements nor LISTEN: there, `inbox_changes`
    is None.
    """

    def __init__(self, database_url: str, *, max_connections: int = MAX_CONNECTIONS) -> None:
        self._url = database_url
        self._max_connections = max_connections
        self._lock = threading.Lock()
        self._pool: ConnectionPool[psycopg.Connection[Any]] | None = None
        self._pool_pid = 0
        self._signatures: dict[str, list[str]] = {}
        self._is_pooler = ":6543/" in database_url or ":6543?" in database_url
        self._inbox_changes = None if self._is_pooler else InboxListener(database_url)

    @property
    def inbox_changes(self) -> InboxListener | None:
        """What waits for changes of a user's inbox, where the database can notify."""
        return self._inbox_changes

    def rpc(
        self,
        name: str,
        params: Mapping[str, Json],
        as_user: User | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> Json:
        """Return what `public.<name>` answers; see `Gateway.rpc`."""
        patience = min(timeout_seconds or STATEMENT_SECONDS, STATEMENT_SECONDS)
        try:
            try:
                return self._once(name, params, as_user, patience)
            except PoolTimeout:  # nothing was lost: there was no connection
                raise
            except psycopg.OperationalError as error:
                if error.sqlstate is not None and not error.sqlstate.startswith(("08", "57P")):
                    raise
                # The connection was lost, perhaps long ago. All functions are idempotent: ask once more.
                self._connections().check()
                return self._once(name, params, as_user, patience)
            except UndefinedFunction:
                # Perhaps a migration changed it after we had looked.
                if self._signatures.pop(name, None) is None:
                    raise
                return self._once(name, params, as_user, patience)
        except (PoolTimeout, TooManyRequests) as error:
            raise unavailable("no connection in time") from error
        except psycopg.Error as error:
            raise refused(name, error.sqlstate, lost=isinstance(error, psycopg.OperationalError)) from error

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None and self._pool_pid == os.getpid():
            pool.close()
        if self._inbox_changes is not None:
            self._inbox_changes.close()

    def _once(self, name: str, params: Mapping[str, Json], as_user: User | None, patience: float) -> Json:
        body = _dump(name, params)
        role = "service_role" if as_user is None else "authenticated"
        claims = {"role": role} if as_user is None else as_user.claims
        with self._connections().connection(timeout=min(patience, CONNECT_SECONDS)) as connection:
            # Statements of one message are one transaction (PostgreSQL: Multiple Statements in a Simple
            # Query) and one round trip; a pipeline does the same for twice the processor time.
            statements = sql.SQL("{}; {}").format(_AS_CALLER, self._call(connection, name, params))
            milliseconds = max(1, int(patience * 1000))
            cursor = psycopg.ClientCursor(connection)
            cursor.execute(statements, [role, json.dumps(dict(claims)), str(milliseconds), body])
            cursor.nextset()
            row = cursor.fetchone()
        return row[0] if row else None

    def _call(self, connection: psycopg.Connection[Any], name: str, params: Mapping[str, Json]) -> Any:
        """Return the statement that calls a function with one JSON object of parameters."""
        columns = self._columns(connection, name, params)
        if not columns:
            return sql.SQL("select public.{}() where %s::json is not null").format(sql.Identifier(name))
        arguments = [
            sql.SQL("{0} => p.{0}").format(sql.Identifier(column.split(" ", 1)[0])) for column in columns
        ]
        # The columns come from the catalogue, quoted there: json_to_record reads each as the function's type.
        return sql.SQL("select public.{}({}) from json_to_record(%s) as p ({})").format(
            sql.Identifier(name), sql.SQL(", ").join(arguments), sql.SQL(", ").join(map(sql.SQL, columns))
        )

    def _columns(
        self, connection: psycopg.Connection[Any], name: str, params: Mapping[str, Json]
    ) -> list[str]:
        signature = self._signatures.get(name)
        if signature is None:
            with connection.transaction():
                row = connection.execute(_SIGNATURE, [name]).fetchone()
            if row is None:
                raise UndefinedFunction(f"there is no function {name}")
            signature = self._signatures[name] = row[0] or []
        wanted = [column for column in signature if column.split(" ", 1)[0] in params]
        if len(wanted) < len(params):
            raise UndefinedFunction(f"{name} has no such parameter")
        return wanted

    def _connections(self) -> ConnectionPool[psycopg.Connection[Any]]:
        with self._lock:
            if self._pool is None or self._pool_pid != os.getpid():
                # After a fork the parent's sockets are not ours: leave them be and open our own.
                self._pool = ConnectionPool(
                    self._url,
                    min_size=1,
                    max_size=self._max_connections,
                    max_waiting=200,
                    timeout=CONNECT_SECONDS,
                    reconnect_timeout=CONNECT_SECONDS,
                    kwargs={
                        "connect_timeout": CONNECT_SECONDS,
                        "application_name": "taskbell",
                        "autocommit": True,
                        **({"prepare_threshold": None} if self._is_pooler else {}),
                        **_KEEPALIVE,
                    },
                    open=True,
                )
                self._pool_pid = os.getpid()
            return self._pool


_KEEPALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,  # milliseconds: a network that went away is an error, not a wait
}


def _dump(name: str, params: Mapping[str, Json]) -> str:
    try:
        return json.dumps(dict(params), allow_nan=False)
    except ValueError as error:
        raise GatewayError("database_refused", f"The parameters of {name} are no JSON.") from error
