"""Mozilla's push service, as far as Firefox and a sender can tell.

In: Firefox over a WebSocket (the autopush protocol), senders over HTTP (RFC 8030).
Out: messages to Firefox, answers to senders and a record of them. It refuses what the real one refuses.
Touches: one loopback port.
Source: autopush-rs, docs/src/http.md and docs/src/architecture.md; RFC 8030, 8188, 8292.
"""

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.stand_ins.background import Background
from tests.stand_ins.record import Record
from tests.stand_ins.vapid_check import Refusal, check_vapid, decode, encode

LARGEST_BODY_BYTES = 4096
LONGEST_TTL_SECONDS = 30 * 24 * 3600
TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True)
class PushRequest:
    """What a sender asked and was told; times in seconds since the epoch."""

    endpoint: str
    status: int
    message: str
    ttl_seconds: int | None
    urgency: str | None
    topic: str | None
    body_bytes: int
    received_at: float


@dataclass
class _Stored:
    message: dict[str, Any]
    channel: str
    topic: str | None
    expires_at: float


@dataclass
class _Agent:
    """One browser, connected or not, with what is kept for it."""

    socket: web.WebSocketResponse | None = None
    stored: list[_Stored] = field(default_factory=list)


@dataclass(frozen=True)
class _Channel:
    agent: str
    id: str
    key: bytes | None


class Autopush:
    """A push service for stock Firefox: give `websocket_url` to the browser and `origin` to the sender."""

    def __init__(self, background: Background) -> None:
        self.requests: Record[PushRequest] = Record("push request")
        self._background = background
        self._agents: dict[str, _Agent] = {}
        self._channels: dict[str, _Channel] = {}
        self._gone: set[str] = set()
        self._runner: web.AppRunner
        self.origin = background.run(self._start())
        self.websocket_url = self.origin.replace("http://", "ws://") + "/"

    async def _start(self) -> str:
        app = web.Application(client_max_size=1 << 20)
        app.add_routes([web.get("/", self._websocket), web.post("/wpush/v2/{token}", self._push)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def connected(self) -> int:
        """Return how many browsers are connected now."""
        return sum(agent.socket is not None for agent in list(self._agents.values()))

    def close(self) -> None:
        """Hang up on the browsers and free the port."""
        self._background.run(self._stop())

    async def _stop(self) -> None:
        for agent in self._agents.values():
            if agent.socket:
                await agent.socket.close()
        await self._runner.cleanup()

    # Towards Firefox

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("push-notification",))
        await socket.prepare(request)
        agent_id = ""
        async for frame in socket:
            if frame.type != WSMsgType.TEXT:
                continue
            message = json.loads(frame.data)
            if message.get("messageType") == "hello":
                agent_id = await self._hello(socket, message)
            else:
                await self._answer(socket, agent_id, message)
        if agent_id and self._agents[agent_id].socket is socket:
            self._agents[agent_id].socket = None
        return socket

    async def _hello(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> str:
        agent_id = str(message.get("uaid"))
        if agent_id not in self._agents:
            agent_id = uuid.uuid4().hex
            self._agents[agent_id] = _Agent()
        agent = self._agents[agent_id]
        agent.socket = socket
        await socket.send_json(
            {"messageType": "hello", "status": 200, "uaid": agent_id, "use_webpush": True, "broadcasts": {}}
        )
        agent.stored = [stored for stored in agent.stored if stored.expires_at > time.time()]
        for stored in agent.stored:
            await socket.send_json(stored.message)
        return agent_id

    async def _answer(self, socket: web.WebSocketResponse, agent_id: str, message: dict[str, Any]) -> None:
        match message.get("messageType", "ping"):
            case "register":
                token = encode(uuid.uuid4().bytes + uuid.uuid4().bytes)
                key = decode(message["key"]) if message.get("key") else None
                self._channels[token] = _Channel(agent_id, message["channelID"], key)
                answer = {"status": 200, "pushEndpoint": f"{self.origin}/wpush/v2/{token}"}
            case "unregister":
                channel_id = message["channelID"]
                left = {
                    token for token, c in self._channels.items() if (c.agent, c.id) == (agent_id, channel_id)
                }
                self._gone |= left
                answer = {"status": 200}
            case "ack":
                versions = {update["version"] for update in message["updates"]}
                agent = self._agents[agent_id]
                agent.stored = [
                    stored for stored in agent.stored if stored.message["version"] not in versions
                ]
                return
            case "ping":
                await socket.send_str("{}")
                return
            case _:
                return
        await socket.send_json(
            {"messageType": message["messageType"], "channelID": message["channelID"], **answer}
        )

    # Towards senders

    async def _push(self, request: web.Request) -> web.Response:
        received_at = time.time()
        body = await request.read()
        token = request.match_info["token"]
        refusal = self._refusal(token, request, body)
        ttl = request.headers.get("TTL", "")
        topic = request.headers.get("Topic")
        if not refusal:
            await self._deliver(self._channels[token], body, topic, min(int(ttl), LONGEST_TTL_SECONDS))
        status, message = (refusal.status, refusal.message) if refusal else (201, "accepted")
        self.requests.add(
            PushRequest(
                endpoint=f"{self.origin}{request.path}",
                status=status,
                message=message,
                ttl_seconds=int(ttl) if ttl.isdigit() else None,
                urgency=request.headers.get("Urgency"),
                topic=topic,
                body_bytes=len(body),
                received_at=received_at,
            )
        )
        if refusal:
            return web.json_response({"code": status, "error": message}, status=status)
        return web.Response(
            status=201, headers={"Location": f"{self.origin}/m/{uuid.uuid4().hex}", "TTL": ttl}
        )

    def _refusal(self, token: str, request: web.Request, body: bytes) -> Refusal | None:
        if token in self._gone:
            return Refusal(410, "unsubscribed")
        if token not in self._channels:
            return Refusal(404, "no such endpoint")
        headers = request.headers
        if not headers.get("TTL", "").isdigit():
            return Refusal(400, "missing or malformed TTL")
        if "Topic" in headers and not TOPIC.fullmatch(headers["Topic"]):
            return Refusal(400, "malformed Topic")
        if len(body) > LARGEST_BODY_BYTES:
            return Refusal(413, "body too large")
        if body and headers.get("Content-Encoding") != "aes128gcm":
            return Refusal(400, "body not encrypted as aes128gcm")
        return check_vapid(
            headers.get("Authorization"), audience=self.origin, public_key=self._channels[token].key
        )

    async def _deliver(self, channel: _Channel, body: bytes, topic: str | None, ttl_seconds: int) -> None:
        agent = self._agents[channel.agent]
        message: dict[str, Any] = {
            "messageType": "notification",
            "channelID": channel.id,
            "version": uuid.uuid4().hex,
        }
        if body:
            message |= {"data": encode(body), "headers": {"encoding": "aes128gcm"}}
        if topic:  # RFC 8030, 5.4: it replaces what still waits under the same topic
            agent.stored = [s for s in agent.stored if (s.channel, s.topic) != (channel.id, topic)]
        online = agent.socket is not None and not agent.socket.closed
        if ttl_seconds or online:
            agent.stored.append(_Stored(message, channel.id, topic, time.time() + ttl_seconds))
        if online and agent.socket:
            await agent.socket.send_json(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
