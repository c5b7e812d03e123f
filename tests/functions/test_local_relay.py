"""What empties the queue of calls does so as pg_net does, also where that hurts.

Told of pg_net itself where it is installed, and of the relay that stands in for it: after the commit, never
again, 200 at once, and gone with a crash.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import psycopg
import pytest

from taskbell_local.postgres import EmbeddedPostgres
from taskbell_local.relay import BATCH
from taskbell_local.stand_ins import install
from tests.database.servers import Server
from tests.database.servers_with_extensions import lacking
from tests.functions.http_calls import Queue, calls, receiving


@pytest.fixture(scope="module", params=["relay"] if lacking() else ["relay", "pg_net"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    """A server to crash, with either."""
    if request.param == "pg_net":
        real: Server = request.getfixturevalue("pg_net_server")
        yield Queue(real.url, real.superuser_url, has_pg_net=True)
        return
    with EmbeddedPostgres(tmp_path_factory.mktemp("relayed") / "data") as postgres:
        install(postgres.superuser_url)
        yield Queue(postgres.url, postgres.superuser_url, has_pg_net=False)


@pytest.fixture
def queue(server: Queue) -> Queue:
    """An empty queue, without answers."""
    with psycopg.connect(server.superuser_url) as superuser:
        superuser.execute("delete from net.http_request_queue where true")
        superuser.execute("delete from net._http_response where true")
    return server


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_it_calls_after_the_commit_and_never_after_a_rollback(queue: Queue) -> None:
    async def story() -> None:
        async with receiving() as receiver, queue.emptied():
            async with await psycopg.AsyncConnection.connect(queue.url) as writer:
                await writer.execute(*calls(receiver.url, 1))
                await writer.rollback()
                await writer.execute(*calls(receiver.url, 1))
                await asyncio.sleep(0.3)  # long enough for a call that must not come
                assert receiver.bodies == []
                await writer.commit()
            await receiver.until(1)
            assert [json.loads(body) for body in receiver.bodies] == [{"n": 1, "name": "Zoë"}]
            assert receiver.headers[0]["X-Key"] == "k"
            assert receiver.headers[0]["Content-Type"] == "application/json"
            assert await queue.responses(1) == [(200, False, None, '{"seen": true}')]

    run(story)


def test_the_bytes_that_are_sent_are_the_bodys_text(queue: Queue) -> None:
    """What the trigger signs."""

    async def story() -> None:
        async with receiving() as receiver, queue.emptied():
            body = """'{"b": [1, 2.50, null], "a": "Zoë \u2028 \\u0007"}'::jsonb"""
            queue_it = f"select ({body})::text from net.http_post('{receiver.url}', {body})"  # noqa: S608
            [(text,)] = await queue.rows(queue_it)
            await receiver.until(1)
            assert receiver.bodies == [text.encode()]

    run(story)


def test_it_makes_200_calls_at_once_and_the_next_ones_wait_for_the_slowest(queue: Queue) -> None:
    async def story() -> None:
        async with receiving() as receiver, queue.emptied():
            receiver.open.clear()
            await queue.post(receiver.url, BATCH + 50, timeout_milliseconds=30_000)
            await receiver.until(BATCH)
            await asyncio.sleep(0.3)  # long enough for a call that must not come
            assert len(receiver.bodies) == BATCH
            receiver.open.set()
            await receiver.until(BATCH + 50)
            assert len(await queue.responses(BATCH + 50)) == BATCH + 50
            order = [json.loads(body)["n"] for body in receiver.bodies]
            assert set(order[:BATCH]) == set(range(1, BATCH + 1))

    run(story)


@pytest.mark.parametrize(
    ("break_it", "status", "timed_out", "content"),
    [
        pytest.param("status", 503, False, '{"seen": true}', id="an error answer"),
        pytest.param("hang", None, True, None, id="no answer in time"),
        pytest.param("refuse", None, False, None, id="nobody there"),
    ],
)
def test_it_never_repeats_a_call_and_records_how_it_ended(
    queue: Queue, break_it: str, status: int | None, timed_out: bool, content: str | None
) -> None:
    async def story() -> None:
        async with receiving() as receiver, queue.emptied():
            url = "http://127.0.0.1:1/" if break_it == "refuse" else receiver.url
            receiver.status = 503
            if break_it == "hang":
                receiver.open.clear()
            await queue.post(url, timeout_milliseconds=200 if break_it == "hang" else 15_000)
            [(got_status, got_timed_out, error, got_content)] = await queue.responses(1)
            assert (got_status, got_timed_out, got_content) == (status, timed_out, content)
            assert (error is None) == (status is not None)
            assert not timed_out or error.startswith("Timeout of 200 ms reached")
            await asyncio.sleep(1.2)  # more than an idle look
            assert len(receiver.bodies) == (0 if break_it == "refuse" else 1)
            assert await queue.rows("select from net.http_request_queue") == []

    run(story)


def test_what_is_no_address_is_the_callers_error_at_once(queue: Queue) -> None:
    with psycopg.connect(queue.url) as writer, pytest.raises(psycopg.Error):
        writer.execute(*calls("nowhere", 1))


def test_a_crash_of_the_database_loses_the_queue_and_the_next_calls_are_made(queue: Queue) -> None:
    async def story() -> None:
        async with receiving() as receiver, queue.emptied():
            receiver.open.clear()
            await queue.post(receiver.url, BATCH + 50, timeout_milliseconds=30_000)
            await receiver.until(1)
            await queue.crash()
            assert await queue.rows("select from net.http_request_queue") == []
            before = len(receiver.bodies)
            assert before <= BATCH  # of the first batch alone
            receiver.open.set()
            await queue.post(receiver.url)
            await receiver.until(before + 1)
            assert await queue.responses(1) == [(200, False, None, '{"seen": true}')]

    run(story)


def test_its_tables_are_unlogged(queue: Queue) -> None:
    with psycopg.connect(queue.superuser_url) as superuser:
        kinds = superuser.execute(
            "select relpersistence from pg_class where oid in "
            "('net.http_request_queue'::regclass, 'net._http_response'::regclass)"
        ).fetchall()
    assert [("u",), ("u",)] == kinds
