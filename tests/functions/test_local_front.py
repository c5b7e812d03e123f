"""The front: the page's files with safe headers, and the functions' answers passed on as they are."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from aiohttp import web

from taskbell_local.front import Front
from tests.functions.served_page import serving

HELD = 40
PATIENCE_SECONDS = 20


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Make a small page, and a file outside of it."""
    folder = tmp_path / "web"
    (folder / "js").mkdir(parents=True)
    (folder / ".hidden").write_text("hidden")
    (tmp_path / "secret.txt").write_text("secret")
    for name in (
        "index.html",
        "sw.js",
        "app.css",
        "manifest.webmanifest",
        "js/main.js",
        "icon.svg",
        "icon.png",
    ):
        (folder / name).write_text(name)
    return folder


@contextlib.asynccontextmanager
async def function_that(handler: object) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "content_type", "text"),
    [
        ("/", "text/html; charset=utf-8", "index.html"),
        ("/?contact=1", "text/html; charset=utf-8", "index.html"),
        ("/sw.js", "text/javascript; charset=utf-8", "sw.js"),
        ("/js/main.js", "text/javascript; charset=utf-8", "js/main.js"),
        ("/app.css", "text/css; charset=utf-8", "app.css"),
        ("/manifest.webmanifest", "application/manifest+json", "manifest.webmanifest"),
        ("/icon.svg", "image/svg+xml", "icon.svg"),
        ("/icon.png", "image/png", "icon.png"),
    ],
)
def test_files_come_with_their_type_and_safe_headers(
    page: Path, path: str, content_type: str, text: str
) -> None:
    async def story() -> None:
        async with serving(page) as (session, _), session.get(path) as answer:
            assert await answer.text() == text
            assert answer.headers["Content-Type"] == content_type
            assert answer.headers["Cache-Control"] == "no-cache"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'; ")
            async with session.get(path, headers={"If-None-Match": answer.headers["ETag"]}) as again:
                assert again.status == 304

    asyncio.run(story())


def test_files_travel_lean_and_compressed_to_those_who_can_read_that(page: Path) -> None:
    source = (
        "// A comment.\n/**\n * Another.\n */\nif (1) {\n  let url = 'http://x'; // kept\n}\n" + 99 * "a();\n"
    )
    lean = b"if (1) {\nlet url = 'http://x'; // kept\n}\n" + 99 * b"a();\n"
    (page / "app.js").write_text(source)

    async def story() -> None:
        async with serving(page) as (session, port):
            async with session.get("/app.js", headers={"Accept-Encoding": "identity"}) as plain:
                assert lean == await plain.read()
                assert "Content-Encoding" not in plain.headers
            raw = aiohttp.ClientSession(f"http://localhost:{port}", auto_decompress=False)
            async with raw, raw.get("/app.js", headers={"Accept-Encoding": "br, gzip"}) as zipped:
                assert lean == gzip.decompress(await zipped.read())
                assert "gzip" == zipped.headers["Content-Encoding"]
                assert "Accept-Encoding" == zipped.headers["Vary"] == plain.headers["Vary"]
                assert zipped.headers["ETag"] != plain.headers["ETag"]
            (page / "app.js").write_text("b();\n")
            async with session.get("/app.js", headers={"If-None-Match": zipped.headers["ETag"]}) as changed:
                assert "b();\n" == await changed.text()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("raw_path", "status"),
    [
        ("/../secret.txt", 404),
        ("/js/../../secret.txt", 404),
        ("/%2e%2e/secret.txt", 404),
        ("/js/%2e%2e%2f%2e%2e%2fsecret.txt", 404),
        ("//etc/passwd", 404),
        ("/%00", 404),
        ("/" + 5000 * "a", 404),
        ("/.hidden", 404),
        ("/js", 404),
        ("/absent", 404),
    ],
)
def test_nothing_outside_of_the_page_is_served(page: Path, raw_path: str, status: int) -> None:
    async def story() -> None:
        async with serving(page) as (_session, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            request = f"GET {raw_path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
            writer.write(request.encode())
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            assert answer.split()[1].decode() == str(status)
            assert b"secret" not in answer

    asyncio.run(story())


def test_another_host_name_is_refused_so_that_no_site_can_borrow_ours(page: Path) -> None:
    async def story() -> None:
        async with (
            serving(page) as (session, _),
            session.get("/", headers={"Host": "evil.example"}) as answer,
        ):
            assert answer.status == 421

    asyncio.run(story())


def test_a_request_and_its_answer_pass_unchanged(page: Path) -> None:
    seen: list[tuple[str, str, bytes, dict[str, str]]] = []

    async def function(request: web.Request) -> web.Response:
        seen.append((request.method, request.raw_path, await request.read(), dict(request.headers)))
        return web.Response(
            status=202, body=b"\x1f\x8b raw", headers={"ETag": '"v1"', "Content-Encoding": "gzip"}
        )

    async def story() -> None:
        async with function_that(function) as url, serving(page, url) as (_session, port):
            raw = aiohttp.ClientSession(auto_decompress=False)
            async with (
                raw,
                raw.put(
                    f"http://localhost:{port}/v1/a?x=1", data=b"\x00body", headers={"Prefer": "wait=5"}
                ) as answer,
            ):
                body = await answer.read()
            assert (answer.status, body, answer.headers["ETag"]) == (202, b"\x1f\x8b raw", '"v1"')

    asyncio.run(story())
    [(method, path, body, headers)] = seen
    assert (method, path, body) == ("PUT", "/v1/a?x=1", b"\x00body")
    assert headers["Prefer"] == "wait=5"


def test_many_held_answers_do_not_stand_in_the_way(page: Path) -> None:
    release = asyncio.Event()

    async def function(request: web.Request) -> web.Response:
        if "Prefer" in request.headers:
            await release.wait()
        return web.json_response({})

    async def story() -> None:
        async with function_that(function) as url, serving(page, url) as (session, _port):

            async def get(headers: dict[str, str]) -> int:
                async with session.get("/v1/inbox", headers=headers) as answer:
                    return answer.status

            held = [asyncio.create_task(get({"Prefer": "wait=25"})) for _ in range(HELD)]
            assert await asyncio.wait_for(get({}), PATIENCE_SECONDS) == 200
            release.set()
            assert await asyncio.gather(*held) == [200] * HELD

    asyncio.run(story())


def test_who_leaves_is_not_waited_for_behind_the_front(page: Path) -> None:
    left = asyncio.Event()

    async def function(_: web.Request) -> web.Response:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            left.set()
            raise
        return web.Response()

    async def story() -> None:
        application = web.Application()
        application.router.add_get("/v1/inbox", function)
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with serving(page, url) as (session, _port):
            with contextlib.suppress(TimeoutError):
                await session.get("/v1/inbox", timeout=aiohttp.ClientTimeout(total=0.3))
            await asyncio.wait_for(left.wait(), PATIENCE_SECONDS)
        await runner.cleanup()

    asyncio.run(story())


def test_a_function_that_is_away_is_a_502_with_a_reason(page: Path) -> None:
    async def story() -> None:
        async with serving(page) as (session, _), session.get("/v1/inbox") as answer:
            assert (answer.status, (await answer.json())["error"]["reason"]) == (502, "function_unavailable")

    asyncio.run(story())


def test_it_listens_on_loopback_only_and_says_when_the_port_is_taken(page: Path) -> None:
    async def story() -> None:
        async with serving(page) as (_session, port):
            listening = {
                connection.laddr.ip
                for connection in psutil.Process().net_connections()
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            }
            assert listening <= {"127.0.0.1", "::1"}
            second = Front(page, {}, {}, port)
            with pytest.raises(OSError, match="in use"):
                await second.start()
            await second.stop()

    asyncio.run(story())
