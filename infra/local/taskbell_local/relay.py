"""Makes the HTTP calls that `net.http_post` queued: what pg_net's background worker does on Supabase.

In: rows of `net.http_request_queue`. Out: HTTP requests, and rows of `net._http_response`. It touches those
two tables and the network. Kept from pg_net, also what hurts: at most 200 calls a batch, the next batch waits
for the slowest of this one, no call is ever repeated, and the queue is lost when the database crashes.
"""

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import psycopg

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

    Connection = psycopg.AsyncConnection[TupleRow]

BATCH = 200
IDLE_SECONDS = 1.0  # without a NOTIFY pg_net looks once a second
RECONNECT_SECONDS = 0.5
KEEP_RESPONSES = "6 hours"  # pg_net.ttl

TAKE = """
    delete from net.http_request_queue where id in (
        select id from net.http_request_queue order by id limit %s for update skip locked
    ) returning id, method, url, headers, body, timeout_milliseconds"""
STORE = """
    insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
    values (%s, %s, %s, %s, %s, %s, %s)"""
PRUNE = "delete from net._http_response where created < now() - %s::interval"

log = logging.getLogger(__name__)


async def relay(database_url: str) -> None:
    """Relay until cancelled; `database_url` names a role that owns or may change the tables of `net`."""
    connector = aiohttp.TCPConnector(limit=BATCH, force_close=True)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
                    await _relay_on(connection, session)
            except psycopg.Error:
                log.warning("relay: the database does not do its part; trying again")
                await asyncio.sleep(RECONNECT_SECONDS)


async def _relay_on(connection: "Connection", session: aiohttp.ClientSession) -> None:
    await connection.execute("listen net_wake")
    while True:
        while await _batch(connection, session):
            pass
        woken = [notify async for notify in connection.notifies(timeout=IDLE_SECONDS, stop_after=1)]
        if not woken:
            await connection.execute(PRUNE, [KEEP_RESPONSES])


async def _batch(connection: "Connection", session: aiohttp.ClientSession) -> int:
    """Make up to 200 calls in one transaction, which a crash therefore repeats; return their number."""
    async with connection.transaction(), connection.cursor() as cursor:
        rows = await (await cursor.execute(TAKE, [BATCH])).fetchall()
        if rows:
            answers = await asyncio.gather(*(_call(session, *row) for row in sorted(rows)))
            await cursor.executemany(STORE, answers)
        return len(rows)


async def _call(
    session: aiohttp.ClientSession,
    request_id: int,
    method: str,
    url: str,
    headers: dict[str, Any] | None,
    body: bytes | None,
    timeout_milliseconds: int,
) -> tuple[object, ...]:
    """Make one call; whatever happens is an answer (status, type, headers, content, timed out, error)."""
    try:
        async with session.request(
            method,
            url,
            headers={name: str(value) for name, value in (headers or {}).items()},
            data=None if body is None else bytes(body),
            timeout=aiohttp.ClientTimeout(total=timeout_milliseconds / 1000),
            allow_redirects=False,
        ) as response:
            content = (await response.text(errors="replace")).replace("\0", "")
            shown = json.dumps(dict(response.headers))
            return (request_id, response.status, response.content_type, shown, content, False, None)
    except TimeoutError:
        return (request_id, None, None, None, None, True, f"Timeout of {timeout_milliseconds} ms reached")
    except (aiohttp.ClientError, ValueError, OSError) as error:
        return (request_id, None, None, None, None, False, type(error).__name__)
