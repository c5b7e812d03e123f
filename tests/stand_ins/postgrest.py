"""The slice of Supabase's REST interface that calling functions needs, over real HTTP, on a real database.

In: `POST /rest/v1/rpc/<function>` with the headers that the official client sends. Out: the function's JSON,
or PostgREST's own error objects and status codes. Touches: one loopback port, a thread for each connection,
Postgres.

It decides the role as the real thing does: the API gateway knows the project's keys, PostgREST verifies a
user's token and sets `role` and `request.jwt.claims` for the transaction.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt
import psycopg
from psycopg import sql

STATUS_CODES = {
    "42501": 403,
    "42883": 404,
    "23503": 409,
    "23505": 409,
    "57014": 500,
    "53300": 503,
    "PGRST001": 503,
}


class PostgREST:
    """A running REST interface; a context manager.

    `verify_key` is the public key (PEM, or an object that PyJWT takes) that verifies users' tokens.
    """

    keeps_connections = False
    """Set before it starts: keep connections to the database ready, as the real thing does. Without, a test
    may do to the database whatever it likes between two calls."""

    def __init__(self, database_url: str, *, secret_key: str, publishable_key: str, verify_key: Any) -> None:
        self.database_url = database_url
        self.secret_key = secret_key
        self.publishable_key = publishable_key
        self.verify_key = verify_key
        self.calls: list[str] = []
        self._idle: list[psycopg.Connection[Any]] = []
        self.misbehave: Callable[[_Handler], bool] | None = None
        """What is asked before each answer; True means that it has dealt with the request itself."""

    def __enter__(self) -> Self:
        if self.keeps_connections:
            self._idle.append(psycopg.connect(self.database_url))
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()
        for connection in self._idle:
            connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """Take a connection for one call and commit; one that failed is not used again."""
        connection = self._idle.pop() if self._idle else psycopg.connect(self.database_url)
        with contextlib.ExitStack() as stack:
            stack.enter_context(connection)  # commits, or rolls back, and closes
            yield connection
            if self.keeps_connections:
                connection.commit()
                self._idle.append(connection)
                stack.pop_all()

    @property
    def url(self) -> str:
        """The project's URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self, owner: PostgREST) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner
        self.open: set[Any] = set()

    def close_connections(self) -> None:
        """End the connections that clients keep open."""
        for connection in list(self.open):
            with contextlib.suppress(OSError):  # the client was first
                connection.shutdown(2)


class _Refused(Exception):  # noqa: N818
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as the real thing: head and body would otherwise be 40 ms apart
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Call a function."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.owner.calls.append(self.path)
        if self.server.owner.misbehave is not None and self.server.owner.misbehave(self):
            return
        try:
            self.answer(200, self._call(body))
        except _Refused as refused:
            error = {"code": refused.code, "message": refused.message, "details": None, "hint": None}
            self.answer(refused.status, json.dumps(error))
        except psycopg.Error as error:
            # Without a code, there was no connection.
            code = error.sqlstate or "PGRST001"
            words = {"code": code, "message": str(error), "details": None, "hint": None}
            self.answer(STATUS_CODES.get(code, 400), json.dumps(words))

    def answer(self, status: int, body: str, content_type: str = "application/json") -> None:
        """Send an answer."""
        encoded = body.encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def _call(self, body: bytes) -> str:
        role, claims = self._caller()
        name = self.path.split("?")[0].removeprefix("/rest/v1/rpc/")
        if self.headers.get("content-profile") != "public":
            raise _Refused(406, "PGRST106", "The schema must be public")
        try:
            params = json.loads(body)
        except ValueError:
            raise _Refused(400, "PGRST102", "Empty or invalid json") from None
        with self.server.owner.transaction() as connection:
            connection.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                [role, json.dumps(claims)],
            )
            row = connection.execute(_statement(connection, name, params), [body.decode()]).fetchone()
            return row[0] if row and row[0] is not None else "null"

    def _caller(self) -> tuple[str, dict[str, Any]]:
        """Return the role and the claims of whoever calls."""
        owner, key = self.server.owner, self.headers.get("apikey")
        if key not in (owner.secret_key, owner.publishable_key):
            raise _Refused(401, "401", "No API key found in request")
        token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        if token in ("", key):
            role = "service_role" if key == owner.secret_key else "anon"
            return role, {"role": role}
        try:
            claims = jwt.decode(token, owner.verify_key, algorithms=["ES256"], audience="authenticated")
        except jwt.ExpiredSignatureError:
            raise _Refused(401, "PGRST303", "JWT expired") from None
        except jwt.InvalidTokenError:
            raise _Refused(401, "PGRST301", "JWSError JWSInvalidSignature") from None
        return str(claims.get("role", "anon")), claims


def _statement(connection: psycopg.Connection[Any], name: str, params: dict[str, Any]) -> sql.Composed:
    """Return the call of a function, its parameters read as the function's own types, as PostgREST does."""
    found = connection.execute(
        """
        select a.name, format_type(a.type, null)
        from pg_proc p
        cross join lateral unnest(p.proargnames, p.proargtypes::oid[]) a (name, type)
        where p.pronamespace = 'public'::regnamespace and p.proname = %s
        """,
        [name],
    ).fetchall()
    types = {column: kind for column, kind in found if column in params}
    exists = connection.execute(
        "select from pg_proc where pronamespace = 'public'::regnamespace and proname = %s", [name]
    ).fetchall()
    if not exists or len(types) < len(params):
        raise _Refused(404, "PGRST202", "Could not find the function")
    if not types:
        return sql.SQL("select to_json({}())::text where %s::text is not null").format(
            sql.Identifier("public", name)
        )
    return sql.SQL("select to_json({}({}))::text from json_to_record(%s::text::json) as p ({})").format(
        sql.Identifier("public", name),
        sql.SQL(", ").join(sql.SQL("{0} => p.{0}").format(sql.Identifier(column)) for column in types),
        sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in types.items()
        ),
    )
