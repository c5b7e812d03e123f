"""The one address that a browser sees: the page, the functions behind it, the key set of the demo's tokens.

In: HTTP on loopback. Out: files of the page, lean and compressed, and the functions' own answers, passed on
as they come. It adds no behaviour: what it does here, a web host and three functions do in a deployment.
"""

import errno
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from taskbell_local.page_files import PageFiles

# A function is reached at these paths; everything else is a file of the page.
ROUTES = {"/v1": "api", "/healthz": "api", "/webhook": "webhook", "/sweep": "sweep"}
JWKS_PATH = "/auth/v1/.well-known/jwks.json"
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)  # RFC 9110 §7.6.1
HTTP_PORT = 80  # browsers leave it out
CONNECT_SECONDS = 2.0
HELD_SECONDS = 60.0  # the longest a function may hold an answer, with room

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Front:
    """An HTTP server for `port` on both loopback addresses; `functions` maps a name to its base URL.

    `hosts` are names, as in the header Host, that lead here beside those of this machine: a tunnel's.
    """

    def __init__(
        self,
        page: Path,
        functions: Mapping[str, str],
        jwks: object,
        port: int,
        hosts: Collection[str] = (),
    ) -> None:
        self._page = PageFiles(page)
        self._functions = functions
        self._jwks = jwks
        self._port = port
        ports = {f":{port}", "" if port == HTTP_PORT else f":{port}"}
        self._hosts = {f"{name}{at}" for name in ("localhost", "127.0.0.1", "[::1]") for at in ports} | set(
            hosts
        )
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Listen; raises OSError where the port is taken."""
        self._session = aiohttp.ClientSession(
            # A kept connection may close just as we use it, and a POST must not be sent twice.
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=HELD_SECONDS, sock_connect=CONNECT_SECONDS),
            auto_decompress=False,
        )
        application = web.Application(middlewares=[self._only_loopback_names])
        application.router.add_get(JWKS_PATH, self._serve_jwks)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=0.1,
            auto_decompress=False,
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        try:
            await web.TCPSite(self._runner, "::1", self._port).start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise  # anything else: no IPv6 here, and browsers use 127.0.0.1

    async def stop(self) -> None:
        """Stop listening; held answers end."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    @web.middleware
    async def _only_loopback_names(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse other host names: a site that points its own name at 127.0.0.1 must not read our answers."""
        if request.host not in self._hosts:
            told = f"This is http://localhost:{self._port} only: --public-url lets a tunnel lead here."
            raise web.HTTPMisdirectedRequest(text=told)
        return await handler(request)

    async def _serve_jwks(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._jwks, headers={"Cache-Control": "max-age=600"})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        for prefix, name in ROUTES.items():
            if request.path == prefix or request.path.startswith(f"{prefix}/"):
                return await self._pass_on(request, self._functions[name])
        return self._file(request)

    def _file(self, request: web.Request) -> web.StreamResponse:
        if request.method not in {"GET", "HEAD"}:
            raise web.HTTPMethodNotAllowed(request.method, {"GET", "HEAD"})
        takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
        file = self._page.read(request.path, takes_gzip=takes_gzip)
        if file is None:
            raise web.HTTPNotFound(text="Not found")
        headers = {
            **PAGE_HEADERS,
            "Cache-Control": file.cache_control,
            "Content-Type": file.content_type,
            "ETag": file.etag,
        }
        if file.varies:
            headers["Vary"] = "Accept-Encoding"
        known = request.if_none_match or ()
        if any(tag.value in (file.etag.strip('"'), "*") for tag in known):
            return web.Response(status=304, headers=headers)
        if file.encoding:
            headers["Content-Encoding"] = file.encoding
        return web.Response(body=file.body, headers=headers)

    async def _pass_on(self, request: web.Request, function: str) -> web.StreamResponse:
        assert self._session is not None  # noqa: S101  # start() made it
        response: web.StreamResponse | None = None
        try:
            async with self._session.request(
                request.method,
                function + request.raw_path,
                headers=_end_to_end(request.headers),
                data=request.content if request.body_exists else None,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            ) as answer:
                response = web.StreamResponse(status=answer.status, headers=_end_to_end(answer.headers))
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
                return response
        except (aiohttp.ClientError, TimeoutError):
            if response is not None:
                raise  # half an answer is out: breaking off says so
            error = {"reason": "function_unavailable", "message": "The function does not answer; try again."}
            return web.json_response({"error": error}, status=502, headers={"Retry-After": "1"})


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)
