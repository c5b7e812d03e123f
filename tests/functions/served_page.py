"""The front that serves a page, on a port of its own, with a session of a client's.

In: a page's folder, and who answers for the functions. Out: answers. Touches one loopback port.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp

from taskbell_local.front import Front
from tests.stand_ins.ports import free_port

NOBODY = "http://127.0.0.1:1"


@contextlib.asynccontextmanager
async def serving(page: Path, function: str = NOBODY) -> AsyncIterator[tuple[aiohttp.ClientSession, int]]:
    """Serve a page; yields a session that knows the address, and the port."""
    port = free_port()
    front = Front(page, dict.fromkeys(("api", "webhook", "sweep"), function), {"keys": []}, port)
    await front.start()
    try:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(f"http://localhost:{port}", connector=connector) as session:
            yield session, port
    finally:
        await front.stop()


def asked(page: Path, *paths: str) -> list[tuple[int, Mapping[str, str]]]:
    """Return status and headers of the answer to each path."""

    async def ask() -> list[tuple[int, Mapping[str, str]]]:
        answers: list[tuple[int, Mapping[str, str]]] = []
        async with serving(page) as (session, _):
            for path in paths:
                async with session.get(path) as got:
                    answers.append((got.status, got.headers.copy()))
        return answers

    return asyncio.run(ask())
