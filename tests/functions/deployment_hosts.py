"""Https addresses on this machine: a Supabase project's, and the page's as Firebase Hosting serves it.

In: an identity, other servers' addresses, a folder that `firebase deploy` left. Out: HTTPS on a port of
localhost. Touches: that port, to read that folder, a thread.
"""

from __future__ import annotations

import json
import mimetypes
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.stand_ins.authority import ServerIdentity
from tests.stand_ins.background import Background

Serve = Callable[[str], web.Response | str]
"""An answer to a path, or the address of the server that gives it."""
HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


class Host:
    """One https address, which asks `serve` about each request's path; a context manager."""

    def __init__(self, identity: ServerIdentity, serve: Serve) -> None:
        self._identity, self._serve = identity, serve
        self.url = ""

    def __enter__(self) -> Self:
        self._background = Background()
        self.url = f"https://localhost:{self._background.run(self._start())}"
        return self

    def __exit__(self, *_: object) -> None:
        self._background.run(self._runner.cleanup())
        self._background.run(self._session.close())
        self._background.close()

    async def _start(self) -> int:
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


def project(rest: str, keys: str) -> Serve:
    """Serve what a Supabase project has at its address: its Data API, and the keys of its Auth."""

    def serve(path: str) -> web.Response | str:
        if path.startswith("/rest/v1/"):
            return rest
        return keys if path.startswith("/auth/v1/") else web.Response(status=404)

    return serve


def hosting(folder: Path, addresses: dict[str, str]) -> Serve:
    """Serve what `firebase deploy` left in a folder, by its firebase.json; `addresses` are Cloud Run's."""

    def serve(path: str) -> web.Response | str:
        if not folder.exists():
            return web.Response(status=404, text="Site Not Found")
        rules = json.loads((folder / "firebase.json").read_text())["hosting"]
        for rewrite in rules["rewrites"]:
            if _matches(rewrite["source"], path):
                return addresses[rewrite["run"]["serviceId"]]
        name = path.strip("/") or "index.html"
        file = folder / "page" / name
        if not file.is_file():
            return web.Response(status=404, text="Page Not Found")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return web.Response(body=file.read_bytes(), headers={"Content-Type": kind} | _headers(rules, path))

    return serve


def _headers(rules: dict[str, Any], path: str) -> dict[str, str]:
    """Return the headers of each rule that matches; of two values the last one's holds."""
    matching = (rule["headers"] for rule in rules["headers"] if _matches(rule["source"], path))
    return {header["key"]: header["value"] for headers in matching for header in headers}


def _matches(glob: str, path: str) -> bool:
    """Tell whether one of Firebase's globs means a path."""
    pattern = re.escape(glob.lstrip("/")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*")
    return re.fullmatch(pattern.replace(r"\*", "[^/]*"), path.lstrip("/")) is not None
