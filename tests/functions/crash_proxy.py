"""Stands between the function process and Postgres, and knows at each moment how far a call has come.

In: connections in Postgres's wire protocol, without TLS. Out: the same, to the server. Touches one loopback
port and the trap. Frames are a type, a length and a body (postgresql.org/docs: Message Formats). Of the
client's we read the simple queries, one message of which is one transaction, of the server's when it is ready
for the next. To stop a call that is done and not committed, it is sent with a `begin` before it.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable

from taskbell_local.errors import PostgresError
from tests.functions.crash_trap import Point, Trap

RPC = re.compile(rb'public\."?taskbell_(record|claim|apply|settle)"?\(')
PATIENCE_SECONDS = 10.0


class PostgresProxy:
    """Listens on `port`; `server_port` is asked anew for each connection, since servers move."""

    def __init__(self, server_port: Callable[[], int], trap: Trap) -> None:
        self._server_port = server_port
        self._trap = trap
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self.heard_at = time.monotonic()
        """When the function last said something."""
        self._spawn(self._accept)

    def close(self) -> None:
        """Take no more connections, and wait until those that are open end with their client."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(PATIENCE_SECONDS)

    def _spawn(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name="postgres-proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        if self._trap.reached(Point.CONNECT):
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._server_port()), timeout=5)
        except (OSError, PostgresError):  # it is dead just now
            client.close()
            return
        server.settimeout(None)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _Connection(client, server, self._trap, self._hears).run()

    def _hears(self) -> None:
        self.heard_at = time.monotonic()


class _Connection:
    """One connection: two threads, one for each direction, that both end with either side."""

    def __init__(
        self, client: socket.socket, server: socket.socket, trap: Trap, hears: Callable[[], None]
    ) -> None:
        self._client, self._server, self._trap, self._hears = client, server, trap, hears
        self._call = ""  # which of our functions is being called, until its transaction is over
        self._kept_open = False
        self._open = threading.Event()

    def run(self) -> None:
        back = threading.Thread(target=self._backward, daemon=True)
        back.start()
        with contextlib.suppress(OSError, EOFError):
            self._server.sendall(_startup(self._client))
            while True:
                kind, frame = _frame(self._client)
                self._hears()
                self._before(kind, frame[5:])
                self._server.sendall(frame)
        self._end()
        back.join()
        self._client.close()
        self._server.close()

    def _before(self, kind: bytes, body: bytes) -> None:
        """Look at a frame of the client's before it is passed on; kills where that is asked."""
        found = RPC.search(body) if kind == b"Q" else None
        if found is None:
            return
        self._call = call = found[1].decode()
        self._at("ASKED", call)
        if self._wants("OPEN"):
            self._kept_open = True
            query = b"begin; " + body
            self._server.sendall(b"Q" + (len(query) + 4).to_bytes(4) + query)
            self._open.wait(PATIENCE_SECONDS)
            self._at("OPEN", call)

    def _backward(self) -> None:
        withheld = b""
        with contextlib.suppress(OSError, EOFError):
            while True:
                kind, frame = _frame(self._server)
                ready = kind == b"Z"
                if self._kept_open:
                    if ready:
                        self._open.set()
                    continue
                withheld += frame
                call = self._call
                if ready:
                    self._call = ""  # now, because the next may be asked as soon as this is passed on
                    self._at("COMMITTED", call)
                if ready or not self._wants("COMMITTED"):
                    self._client.sendall(withheld)
                    withheld = b""
                if ready:
                    self._at("ANSWERED", call)
        self._end()

    def _wants(self, moment: str) -> bool:
        point = _point(self._call, moment)
        return point is not None and self._trap.waits_for(point)

    def _at(self, moment: str, call: str) -> None:
        point = _point(call, moment)
        if point is not None and self._trap.reached(point):
            raise EOFError  # its process is dead: nothing more goes either way

    def _end(self) -> None:
        for each in (self._client, self._server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def _point(call: str, moment: str) -> Point | None:
    return Point.__members__.get(f"{call.upper()}_{moment}")


def _startup(client: socket.socket) -> bytes:
    """The first packet of a client has no type."""
    head = _exactly(client, 4)
    return head + _exactly(client, int.from_bytes(head) - 4)


def _frame(source: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(source, 5)
    return head[:1], head + _exactly(source, int.from_bytes(head[1:]) - 4)


def _exactly(source: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = source.recv(min(count, 1 << 16))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
