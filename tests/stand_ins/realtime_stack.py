"""The product as it is deployed beside a Supabase project: nobody is signed in, Realtime is offered.

In: a folder. Out: the page's address, the project, the database. Touches the processes it starts and that
folder. The project's Auth and Realtime are stand-ins; Postgres, the functions and the page are the real ones.
The web host serves the page as `taskbell page` builds it, told the project's address, and passes /v1 on.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any, LiteralString, Self

import aiohttp
import psycopg
from aiohttp import web

from taskbell_local import keys, page_build, places, relay
from taskbell_local.function_settings import function_settings
from taskbell_local.page_files import PageFiles
from taskbell_local.ports import free_ports
from taskbell_local.postgres import EmbeddedPostgres
from taskbell_local.preparation import prepare
from taskbell_local.served_function import ServedFunction
from tests.stand_ins.background import Background
from tests.stand_ins.realtime_project import PUBLISHABLE_KEY, SupabaseProject

THREADS = {"webhook": 8, "api": 32, "sweep": 4}


class RealtimeStack:
    """A context manager; `client` is the bundled Realtime client, or None where a page must do without."""

    def __init__(self, background: Background, folder: Path, client: Path | None) -> None:
        self.url = ""
        self.not_served: set[str] = set()
        """Names in the folder vendor/ that the web host does without."""
        self.project: SupabaseProject
        self._background = background
        self._folder = folder
        self._client = client
        self._exits = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as exits:
            postgres = exits.enter_context(EmbeddedPostgres(self._folder / "data"))
            made = keys.make()
            ports = free_ports(len(THREADS) + 1)
            self.url = f"http://localhost:{ports.pop()}"
            urls = {target: f"http://127.0.0.1:{port}" for target, port in zip(THREADS, ports, strict=True)}
            prepare(postgres, urls, made, demo=False)
            self.database_url = postgres.url
            self.project = exits.enter_context(SupabaseProject(self._background, postgres.superuser_url))
            settings = function_settings(self.url, postgres.url, made, "") | {
                "SUPABASE_URL": self.project.url,
                "SUPABASE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
            }
            del settings["DEMO_TOKEN"]
            self._database = exits.enter_context(psycopg.connect(postgres.url, autocommit=True))
            running = _Running(settings, urls, self._folder, self._page(), self.not_served)
            exits.callback(lambda: self._background.run(running.stop(), 30))
            self._background.run(running.start(self.url, postgres.superuser_url), 60)
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def sql(self, statement: LiteralString, *arguments: object) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and return its rows."""
        cursor = self._database.execute(statement, arguments)
        return cursor.fetchall() if cursor.description else []

    def person(self, email: str) -> str:
        """Add a user who can sign in with any password; returns the id."""
        [(user_id,)] = self.sql(
            "insert into auth.users (id, email) values (gen_random_uuid(), %s) returning id::text", email
        )
        self.project.people[email] = user_id
        return str(user_id)

    def _page(self) -> Path:
        """Build the page, and let its policy know the project, as one with a domain of its own does."""
        out = self._folder / "page"
        vendored = {self._client.name: self._client.read_bytes()} if self._client else None
        page_build.build(places.WEB, out, vendored)
        index = out / "index.html"
        ours = f"connect-src 'self' {self.project.url} {self.project.url.replace('http', 'ws', 1)}"
        index.write_text(index.read_text().replace("connect-src 'self'", ours, 1))
        return out


class _Running:
    """What lives on the background's loop: functions, the relay of wake-ups, the web host."""

    def __init__(
        self,
        settings: dict[str, str],
        urls: dict[str, str],
        folder: Path,
        page: Path,
        not_served: set[str],
    ) -> None:
        self._not_served = not_served
        self._urls = urls
        self._page = PageFiles(page)
        self._functions = [
            ServedFunction(target, _port(url), settings, folder / "run" / target, THREADS[target])
            for target, url in urls.items()
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self, url: str, superuser_url: str) -> None:
        for function in self._functions:
            await function.start()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True), auto_decompress=False
        )
        for function in self._functions:
            probe = "/healthz" if function.target == "api" else "/robots.txt"
            await function.answers(self._session, probe)
        self._tasks = [asyncio.create_task(relay.relay(superuser_url))]
        application = web.Application()
        application.router.add_route("*", "/v1/{path:.*}", self._pass_on)
        application.router.add_get("/{path:.*}", self._file)
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "localhost", _port(url)).start()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()
        await asyncio.gather(*(function.stop() for function in self._functions))

    async def _file(self, request: web.Request) -> web.Response:
        file = self._page.read(request.path, takes_gzip=False)
        folder, _, name = request.path.rpartition("/")
        if file is None or (folder.endswith("/vendor") and name in self._not_served):
            raise web.HTTPNotFound
        return web.Response(body=file.body, headers={"Content-Type": file.content_type, "ETag": file.etag})

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        async with self._session.request(
            request.method, self._urls["api"] + request.raw_path, headers=headers, data=await request.read()
        ) as answer:
            kept = {"content-type", "etag", "preference-applied", "retry-after", "cache-control"}
            shown = {name: value for name, value in answer.headers.items() if name.lower() in kept}
            return web.Response(status=answer.status, body=await answer.read(), headers=shown)


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
