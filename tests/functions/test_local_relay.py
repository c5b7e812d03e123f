"""The relay behaves as pg_net does, also where that hurts: after commit, never again, 200 a batch."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import web

from taskbell_local.postgres import EmbeddedPostgres
from taskbell_local.relay import BATCH, relay
from taskbell_local.stand_ins import install
from tests.database.database import Database

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
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield receiver
    finally:
        receiver.open.set()
        await runner.cleanup()


@contextlib.asynccontextmanager
async def relaying(url: str) -> AsyncIterator[None]:
    task = asyncio.create_task(relay(url))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def post(url: str, count: int = 1, timeout_milliseconds: int = 5000) -> tuple[bytes, list[object]]:
    query = b"""select net.http_post(%s, jsonb_build_object('n', n, 'name', 'Zo\xc3\xab'),
                 headers => '{"X-Key": "k"}', timeout_milliseconds => %s) from generate_series(1, %s) n"""
    return query, [url, timeout_milliseconds, count]


async def responses(database: Database, count: int) -> list[tuple[Any, ...]]:
    """Wait for so many answers on record."""
    async with (
        asyncio.timeout(SECONDS),
        await psycopg.AsyncConnection.connect(database.superuser_url, autocommit=True) as connection,
    ):
        while True:
            cursor = await connection.execute(
                "select status_code, timed_out, error_msg, content from net._http_response order by id"
            )
            if len(rows := await cursor.fetchall()) >= count:
                return rows
            await asyncio.sleep(0.02)


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_it_calls_after_the_commit_and_never_after_a_rollback(database: Database) -> None:
    async def story() -> None:
        async with receiving() as receiver, relaying(database.superuser_url):
            async with await psycopg.AsyncConnection.connect(database.url) as writer:
                await writer.execute(*post(receiver.url))
                await writer.rollback()
                await writer.execute(*post(receiver.url))
                await asyncio.sleep(0.3)  # long enough for a call that must not come
                assert receiver.bodies == []
                await writer.commit()
            await receiver.until(1)
            assert [json.loads(body) for body in receiver.bodies] == [{"n": 1, "name": "Zoë"}]
            assert receiver.headers[0]["X-Key"] == "k"
            assert await responses(database, 1) == [(200, False, None, '{"seen": true}')]

    run(story)


def test_it_makes_200_calls_at_once_and_the_next_ones_wait_for_the_slowest(database: Database) -> None:
    async def story() -> None:
        async with receiving() as receiver:
            receiver.open.clear()
            database.execute(post(receiver.url, BATCH + 50)[0].decode(), receiver.url, 30_000, BATCH + 50)
            async with relaying(database.superuser_url):
                await receiver.until(BATCH)
                await asyncio.sleep(0.3)  # long enough for a call that must not come
                assert len(receiver.bodies) == BATCH
                receiver.open.set()
                await receiver.until(BATCH + 50)
                assert len(await responses(database, BATCH + 50)) == BATCH + 50
            order = [json.loads(body)["n"] for body in receiver.bodies]
            assert set(order[:BATCH]) == set(range(1, BATCH + 1))

    run(story)


@pytest.mark.parametrize(
    ("break_it", "expected"),
    [
        pytest.param("status", (503, False, None, '{"seen": true}'), id="an error answer"),
        pytest.param("hang", (None, True, "Timeout of 200 ms reached", None), id="no answer in time"),
        pytest.param("refuse", (None, False, "ClientConnectorError", None), id="nobody there"),
        pytest.param("garbage", (None, False, "InvalidUrlClientError", None), id="no address"),
    ],
)
def test_it_never_repeats_a_call_and_records_how_it_ended(
    database: Database, break_it: str, expected: tuple[object, ...]
) -> None:
    async def story() -> None:
        async with receiving() as receiver, relaying(database.superuser_url):
            url = {"refuse": "http://127.0.0.1:1/", "garbage": "nowhere"}.get(break_it, receiver.url)
            receiver.status = 503
            if break_it == "hang":
                receiver.open.clear()
            database.execute(post(url)[0].decode(), url, 200, 1)
            assert await responses(database, 1) == [expected]
            await asyncio.sleep(1.2)  # more than an idle look
            assert len(receiver.bodies) == (1 if url == receiver.url else 0)
            assert database.value("select count(*) from net.http_request_queue") == 0

    run(story)


def test_a_crash_of_the_database_loses_the_queue_and_the_relay_reconnects(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "data")
    postgres.start()
    try:
        install(postgres.superuser_url)
        with psycopg.connect(postgres.url) as writer:
            writer.execute(*post("http://127.0.0.1:1/", 3))
        crash_and_start(postgres)
        with psycopg.connect(postgres.url) as writer:
            assert writer.execute("select count(*) from net.http_request_queue").fetchone() == (0,)

        async def story() -> None:
            async with receiving() as receiver, relaying(postgres.superuser_url):
                await send(postgres, receiver, 1)
                await asyncio.to_thread(crash_and_start, postgres)
                await send(postgres, receiver, 2)

        run(story)
    finally:
        postgres.stop()


def crash_and_start(postgres: EmbeddedPostgres) -> None:
    port = postgres.port
    postgres.kill()
    postgres.start()
    assert port == postgres.port


async def send(postgres: EmbeddedPostgres, receiver: Receiver, number: int) -> None:
    async with await psycopg.AsyncConnection.connect(postgres.url) as writer:
        await writer.execute(*post(receiver.url))
    await receiver.until(number)
