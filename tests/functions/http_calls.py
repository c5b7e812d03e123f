"""Calls that a database queues with `net.http_post`, what makes them, and who receives them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import psycopg
from aiohttp import web

from taskbell_local.relay import relay

SECONDS = 20


class Receiver:
    """An HTTP server that notes what it is sent, and answers once it is allowed to."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.open = asyncio.Event()
        self.open.set()
        self._arrived = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._arrived:
            self.bodies.append(body)
            self.headers.append(dict(request.headers))
            self._arrived.notify_all()
        await self.open.wait()
        return web.json_response({"seen": True}, status=self.status)

    async def until(self, count: int) -> None:
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: len(self.bodies) >= count), SECONDS)


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/", receiver.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield receiver
    finally:
        receiver.open.set()
        await runner.cleanup()


@dataclass
class Queue:
    """A database with a queue of calls, which pg_net makes if it is there, and otherwise our relay."""

    url: str
    superuser_url: str
    has_pg_net: bool

    @contextlib.asynccontextmanager
    async def emptied(self) -> AsyncIterator[None]:
        """Make the calls, for as long as this lasts."""
        task = None if self.has_pg_net else asyncio.create_task(relay(self.superuser_url))
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def post(self, url: str, count: int = 1, timeout_milliseconds: int = 5000) -> None:
        """Queue so many calls in one transaction."""
        async with await psycopg.AsyncConnection.connect(self.url) as writer:
            await writer.execute(*calls(url, count, timeout_milliseconds))

    async def rows(self, query: str, count: int = 0) -> list[tuple[Any, ...]]:
        """The answer of a query once it has so many rows."""
        async with (
            asyncio.timeout(SECONDS),
            await psycopg.AsyncConnection.connect(self.superuser_url, autocommit=True) as connection,
        ):
            while True:
                rows = await (await connection.execute(query.encode())).fetchall()
                if len(rows) >= count:
                    return rows
                await asyncio.sleep(0.02)

    async def responses(self, count: int) -> list[tuple[Any, ...]]:
        """Wait for so many answers on record."""
        columns = "status_code, timed_out, error_msg, content"
        return await self.rows(f"select {columns} from net._http_response order by id", count)  # noqa: S608

    async def crash(self) -> None:
        """Kill a backend, upon which the server ends all others and recovers as from a crash."""
        connection = await psycopg.AsyncConnection.connect(self.url)
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        with contextlib.suppress(psycopg.OperationalError):
            await connection.execute("select pg_sleep(60)")
        await connection.close()
        async with asyncio.timeout(SECONDS):
            while True:
                with contextlib.suppress(psycopg.OperationalError):
                    return await (await psycopg.AsyncConnection.connect(self.url)).close()
                await asyncio.sleep(0.05)


def calls(url: str, count: int, timeout_milliseconds: int = 5000) -> tuple[bytes, list[object]]:
    """The statement that queues calls."""
    query = b"""select net.http_post(%s, jsonb_build_object('n', n, 'name', 'Zo\xc3\xab'),
                 headers => '{"X-Key": "k"}', timeout_milliseconds => %s) from generate_series(1, %s) n"""
    return query, [url, timeout_milliseconds, count]
