"""Google's push service, as far as Chromium and a sender can tell.

In: Chromium's check-in and registration and its MCS connection; senders over HTTP (RFC 8030).
Out: messages to Chromium, answers to senders, and a record of the latter.
Touches: two loopback ports.
Source: Chromium, google_apis/gcm (checkin.proto, mcs.proto, registration_request.cc).
"""

import asyncio
import ssl
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl

from aiohttp import web

from tests.stand_ins.background import Background, stop_serving
from tests.stand_ins.certificates import self_signed
from tests.stand_ins.protobuf import fields, fixed64, number, text, varint
from tests.stand_ins.record import Record
from tests.stand_ins.vapid_check import check_vapid, decode

HEARTBEAT, LOGIN, LOGIN_ANSWER, DATA_MESSAGE = 0, 2, 3, 8  # MCS tags
HEARTBEAT_ANSWER = 1
MCS_VERSION = 41


@dataclass(frozen=True)
class Push:
    """What a sender asked and was told."""

    status: int
    message: str
    topic: str | None
    body_bytes: int


@dataclass(frozen=True)
class _Registration:
    device: int
    app: str
    subtype: str
    sender: str


class Gcm:
    """A push service for stock Chromium: start it with `arguments`.

    Chromium makes endpoints at a Google host that is compiled into it; the same paths are served at `origin`.
    """

    def __init__(self, background: Background, folder: Path) -> None:
        self.pushes: Record[Push] = Record("push request")
        self._background = background
        self._registrations: dict[str, _Registration] = {}
        self._gone: set[str] = set()
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._talks: set[asyncio.Task[None]] = set()
        self._waiting: dict[int, list[bytes]] = {}
        self._runner: web.AppRunner
        self._mcs: asyncio.Server
        tls, key_hash = self_signed(folder)
        port, mcs_port = background.run(self._start(tls))
        self.origin = f"http://127.0.0.1:{port}"
        self.arguments = [
            f"--gcm-checkin-url={self.origin}/checkin",
            f"--gcm-registration-url={self.origin}/register3",
            f"--gcm-mcs-endpoint=https://localhost:{mcs_port}",
            f"--ignore-certificate-errors-spki-list={key_hash}",
        ]

    async def _start(self, tls: ssl.SSLContext) -> tuple[int, int]:
        app = web.Application()
        app.add_routes(
            [
                web.post("/checkin", self._check_in),
                web.post("/register3", self._register),
                web.post("/fcm/send/{token}", self._push),
                web.post("/wp/{token}", self._push),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._mcs = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=tls)
        return self._runner.addresses[0][1], self._mcs.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Hang up on the browsers and free the ports."""
        self._background.run(self._stop())

    async def _stop(self) -> None:
        await stop_serving(self._mcs)
        for writer in self._writers.values():
            writer.close()
        await asyncio.gather(*self._talks)
        await self._mcs.wait_closed()
        await self._runner.cleanup()

    # Towards Chromium

    async def _check_in(self, request: web.Request) -> web.Response:
        known_device = dict(fields(await request.read())).get(2)
        device = known_device or int.from_bytes(uuid.uuid4().bytes[:7]) | 1
        assert isinstance(device, int)
        body = number(1, 1) + number(3, _now_ms()) + fixed64(7, device) + fixed64(8, 1) + text(11, "v1")
        return web.Response(body=body, content_type="application/x-protobuf")

    async def _register(self, request: web.Request) -> web.Response:
        form = dict(parse_qsl((await request.read()).decode()))
        if form.get("delete") == "true":
            left = {t for t, r in self._registrations.items() if r.subtype == form.get("X-subtype")}
            self._gone |= left
            return web.Response(text=f"token={form.get('app', '')}")
        token = f"test:{uuid.uuid4().hex}{uuid.uuid4().hex}"
        self._registrations[token] = _Registration(  # Chromium registers itself too, without a subtype
            int(form["device"]), form["app"], form.get("X-subtype", ""), form["sender"]
        )
        return web.Response(text=f"token={token}")

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._talks.add(task)
        try:
            await reader.readexactly(1)  # the client's version
            while True:
                tag = (await reader.readexactly(1))[0]
                message = await reader.readexactly(await _read_length(reader))
                if tag == LOGIN:
                    await self._log_in(writer, dict(reversed(list(fields(message)))))
                elif tag == HEARTBEAT:
                    writer.write(_packet(HEARTBEAT_ANSWER, b""))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the browser hung up
        finally:
            for device in [d for d, w in self._writers.items() if w is writer]:
                del self._writers[device]
            writer.close()
            self._talks.discard(task)

    async def _log_in(self, writer: asyncio.StreamWriter, login: dict[int, int | bytes]) -> None:
        request_id, user = login[1], login[3]
        assert isinstance(request_id, bytes)
        assert isinstance(user, bytes)
        device = int(user)
        answer = text(1, request_id) + text(2, "tests") + number(8, _now_ms())
        writer.write(bytes([MCS_VERSION]) + _packet(LOGIN_ANSWER, answer))
        self._writers[device] = writer
        for waiting in self._waiting.pop(device, []):
            writer.write(waiting)
        await writer.drain()

    # Towards senders

    async def _push(self, request: web.Request) -> web.Response:
        body = await request.read()
        status, message = self._judge(request)
        if status == 201:
            await self._deliver(self._registrations[request.match_info["token"]], request, body)
        self.pushes.add(Push(status, message, request.headers.get("Topic"), len(body)))
        headers = {"Location": f"{self.origin}/m/{uuid.uuid4().hex}"} if status == 201 else {}
        return web.Response(status=status, text=message, headers=headers)

    def _judge(self, request: web.Request) -> tuple[int, str]:
        token = request.match_info["token"]
        if token in self._gone:
            return 410, "unsubscribed"
        if token not in self._registrations:
            return 404, "no such endpoint"
        if not request.headers.get("TTL", "").isdigit():
            return 400, "missing or malformed TTL"
        refusal = check_vapid(
            request.headers.get("Authorization"),
            audience=self.origin,
            public_key=decode(self._registrations[token].sender.removeprefix("wp:")),
        )
        return (refusal.status, refusal.message) if refusal else (201, "accepted")

    async def _deliver(self, to: _Registration, request: web.Request, body: bytes) -> None:
        encoding = text(1, "content-encoding") + text(2, request.headers.get("Content-Encoding", ""))
        stanza = text(3, to.sender) + text(5, to.app) + text(7, text(1, "subtype") + text(2, to.subtype))
        stanza += text(7, encoding) + text(9, f"0:{uuid.uuid4().hex}")
        stanza += number(17, int(request.headers["TTL"])) + number(18, _now_ms())
        packet = _packet(DATA_MESSAGE, stanza + (text(21, body) if body else b""))
        writer = self._writers.get(to.device)
        if writer:
            writer.write(packet)
            await writer.drain()
        else:
            self._waiting.setdefault(to.device, []).append(packet)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _packet(tag: int, message: bytes) -> bytes:
    return bytes([tag]) + varint(len(message)) + message


async def _read_length(reader: asyncio.StreamReader) -> int:
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return length


def _now_ms() -> int:
    return int(time.time() * 1000)
