"""A web host on this machine, before other servers or with answers of its own.

In: who answers which path. Out: HTTP, or HTTPS, on a port of localhost. Touches: that port, a thread.
"""

import ssl
from collections.abc import Callable
from typing import Self

import aiohttp
from aiohttp import web

from tests.stand_ins.authority import ServerIdentity
from tests.stand_ins.background import Background

Serve = Callable[[str], web.Response | str]
"""An answer to a path, or the address of the server that gives it."""
HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


class Host:
    """One address, which asks `serve` about each request's path; a context manager.

    It speaks https if it is given an identity.
    """

    def __init__(self, serve: Serve, identity: ServerIdentity | None = None) -> None:
        self._identity, self._serve = identity, serve
        self.url = ""

    def __enter__(self) -> Self:
        self._background = Background()
        scheme = "https" if self._identity else "http"
        self.url = f"{scheme}://localhost:{self._background.run(self._start())}"
        return self

    def __exit__(self, *_: object) -> None:
        self._background.run(self._runner.cleanup())
        self._background.run(self._session.close())
        self._background.close()

    async def _start(self) -> int:
        context = None
        if self._identity:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._identity.certificate_file, self._identity.key_file)
        self._session = aiohttp.ClientSession(auto_decompress=False)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        served = self._serve(request.path)
        if isinstance(served, web.Response):
            return served
        asked = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        body = await request.read()
        async with self._session.request(
            request.method, served + request.raw_path, headers=asked, data=body, allow_redirects=False
        ) as answer:
            told = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            return web.Response(status=answer.status, headers=told, body=await answer.read())
