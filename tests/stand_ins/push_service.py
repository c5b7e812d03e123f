"""A push service on loopback, as strict as the strictest and, when told so, as bad as the worst.

In: pushes over HTTP/2 or HTTP/1.1. Out: answers; a record of every push, decrypted. Touches: one loopback
port, one thread, a temporary folder for its certificate.

    with PushService() as service:
        subscription = service.new_subscription()
        ...  # send to subscription["endpoint"], trusting service.ca_file
        [push] = service.wait_for(1)
        assert push.payload == b"..."
"""

import asyncio
import secrets
import ssl
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag

from tests.stand_ins.authority import ServerIdentity, make_identity
from tests.stand_ins.background import Background, stop_serving
from tests.stand_ins.push_service_rules import Answer, BrowserKeys, Request, judge
from tests.stand_ins.push_service_wire import Reply, serve_connection
from tests.stand_ins.record import Record


@dataclass(frozen=True)
class Behaviour:
    """How a push is treated: by the rules unless `status` is given, after a delay, with a `fault` or none.

    For the faults see `push_service_wire.Reply`.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_seconds: float = 0
    fault: str | None = None


@dataclass(frozen=True)
class Received:
    """One push as it arrived; `payload` is None if the subscription's keys do not decrypt it.

    `status` is what the rules say of it, whatever the behaviour made of that. `arrived_at` is on
    time.monotonic's clock.
    """

    endpoint: str
    payload: bytes | None
    headers: Mapping[str, str]
    status: int
    reason: str
    http_version: str
    arrived_at: float


@dataclass
class _Subscribed:
    keys: BrowserKeys
    vapid_public_key: str | None
    script: list[Behaviour]


class PushService:
    """A running push service; a context manager, or `start` and `stop`."""

    def __init__(
        self,
        *,
        tls: bool = True,
        http2: bool = True,
        identity: ServerIdentity | None = None,
        max_streams: int = 100,
    ) -> None:
        """Speak HTTP/2 over TLS, HTTP/1.1 over TLS (`http2=False`) or HTTP/1.1 in the clear (`tls=False`).

        Two services may share an `identity`, so that one `ca_file` vouches for both.
        """
        self._tls, self._http2, self._max_streams = tls, http2, max_streams
        self._folder = tempfile.TemporaryDirectory(prefix="push-service-")
        self.identity = identity or make_identity(Path(self._folder.name))
        self._subscriptions: dict[str, _Subscribed] = {}
        self._record: Record[Received] = Record("push")
        self.origin = ""
        self.connections = 0

    @property
    def ca_file(self) -> str:
        """The PEM file of the authority that vouches for it."""
        return str(self.identity.ca_file)

    @property
    def received(self) -> list[Received]:
        """Every push so far, in order of arrival."""
        return self._record.since()

    def start(self) -> Self:
        """Listen on a free port."""
        self._background = Background()
        self._server = self._background.run(self._listen())
        port = self._server.sockets[0].getsockname()[1]
        self.origin = f"{'https' if self._tls else 'http'}://localhost:{port}"
        return self

    def stop(self) -> None:
        """Close the port and all connections."""
        self._background.run(stop_serving(self._server))
        self._background.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def new_subscription(self, *script: Behaviour, vapid_public_key: str | None = None) -> dict[str, Any]:
        """Return what a browser would hand out: `{"endpoint", "keys": {"p256dh", "auth"}}`.

        Pushes to it are treated by the script, one behaviour after the other, the last for ever.
        """
        path = f"/push/{secrets.token_urlsafe(48)}"
        subscribed = _Subscribed(BrowserKeys(), vapid_public_key, list(script))
        self._subscriptions[path] = subscribed
        return {"endpoint": self.origin + path, "keys": subscribed.keys.public_keys()}

    def behave(self, endpoint: str, *script: Behaviour) -> None:
        """Treat the pushes to an endpoint by another script from now on; none means by the rules."""
        self._subscriptions[endpoint.removeprefix(self.origin)].script = list(script)

    def wait_for(self, count: int, timeout_seconds: float = 20) -> list[Received]:
        """Wait until at least `count` pushes have arrived and return them all."""
        if count:
            self._record.wait_for(
                lambda _: len(self._record.since()) >= count, timeout_seconds=timeout_seconds
            )
        return self.received

    async def _listen(self) -> asyncio.Server:
        context = None
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.identity.certificate_file, self.identity.key_file)
            context.set_alpn_protocols(["h2", "http/1.1"] if self._http2 else ["http/1.1"])
        return await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=context, backlog=1000)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await serve_connection(reader, writer, self._handle, self._max_streams)

    async def _handle(self, request: Request) -> Reply:
        subscribed = self._subscriptions.get(request.path)
        if subscribed is None:
            return Reply(Answer.refusing(404, "Unregistered"))
        verdict = judge(request, origin=self.origin, vapid_public_key=subscribed.vapid_public_key)
        script = subscribed.script
        behaviour = (script.pop(0) if len(script) > 1 else script[0]) if script else Behaviour()
        self._record.add(self._received(request, subscribed, verdict))
        await asyncio.sleep(behaviour.delay_seconds)
        if behaviour.status is not None:
            verdict = Answer(behaviour.status, tuple(behaviour.headers.items()), behaviour.body)
        return Reply(verdict, behaviour.fault)

    def _received(self, request: Request, subscribed: _Subscribed, verdict: Answer) -> Received:
        try:
            payload = subscribed.keys.decrypt(request.body)
        except (InvalidTag, ValueError, IndexError):
            payload = None
        endpoint = self.origin + request.path
        return Received(
            endpoint,
            payload,
            request.headers,
            verdict.status,
            verdict.body.decode(),
            request.http_version,
            time.monotonic(),
        )
