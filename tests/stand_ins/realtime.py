"""A stand-in for Supabase Realtime: the Phoenix protocol over real WebSockets, on a real database.

In: sockets of official clients. Out: broadcasts that the database sent, changes of published tables; what
happened, for tests to wait for. Touches the database. It is part of an aiohttp application, so that it shares
its origin with the rest of a project.

A test may make it misbehave: drop sockets, refuse joins, leave heartbeats unanswered, refuse sockets, end
tokens early.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from tests.stand_ins.background import Background
from tests.stand_ins.realtime_changes import Changes
from tests.stand_ins.realtime_channel import Channel, RefusedJoin
from tests.stand_ins.realtime_database import ChannelDatabase, Claims
from tests.stand_ins.realtime_wire import SERIALIZERS, Broadcast, Frame
from tests.stand_ins.record import Record

PATH = "/realtime/v1/websocket"


@dataclass(frozen=True)
class Happening:
    """`what`: opened, closed, turned away, joined, refused, left, ended, heartbeat, token or sent."""

    what: str
    topic: str = ""
    user_id: str = ""
    detail: str = ""


class Realtime:
    """The controls are attributes and methods for tests; everything else runs on `background`."""

    def __init__(
        self, background: Background, *, publishable_key: str, verify: Callable[[str], Claims]
    ) -> None:
        self.verify = verify
        self.seen: Record[Happening] = Record("happening")
        self.refusal: str | None = None
        """Why joins are refused, as long as it is set."""
        self.answers_heartbeats = True
        self.admits_sockets = True
        self._background = background
        self._publishable_key = publishable_key
        self._sockets: set[_Socket] = set()
        self._telling: asyncio.Task[None] | None = None
        self.database: ChannelDatabase
        self.changes: Changes

    async def start(self, superuser_url: str) -> None:
        """Attend to a database's messages."""
        self.database = await ChannelDatabase.connect(superuser_url)
        self.changes = Changes(superuser_url)
        self._telling = asyncio.create_task(self._tell())

    async def stop(self) -> None:
        """Let go of the database and of every socket."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)
        await self.changes.close()
        for client in list(self._sockets):
            client.abort()
        await self.database.close()

    @property
    def open_sockets(self) -> int:
        """How many clients are connected now."""
        return self._background.call(lambda: len(self._sockets))

    def drop_sockets(self) -> None:
        """Cut every connection without a word, as a network that went away does."""

        def drop() -> None:
            for client in list(self._sockets):
                client.abort()

        self._background.call(drop)

    def end_tokens(self) -> None:
        """End every channel as if its token had run out."""

        async def end() -> None:
            for client in list(self._sockets):
                for channel in list(client.channels.values()):
                    await channel.shut_down("Token has expired 0 seconds ago")

        self._background.run(end())

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one socket until it closes."""
        serializer = SERIALIZERS.get(request.query.get("vsn", "1.0.0"))
        known = request.query.get("apikey") == self._publishable_key
        if not known or serializer is None or not self.admits_sockets:
            self.seen.add(Happening("turned away"))
            return web.Response(status=403)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        client = _Socket(self, request, ws)
        self._sockets.add(client)
        self.seen.add(Happening("opened", detail=request.query.get("vsn", "1.0.0")))
        try:
            async for message in ws:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await client.receive(serializer.decode(message.data))
        finally:
            self._sockets.discard(client)
            client.forget()
            self.seen.add(Happening("closed", detail=str(ws.close_code)))
        return ws

    async def _tell(self) -> None:
        async for message in self.database.messages():
            for client in list(self._sockets):
                await client.broadcast(message)
            self.seen.add(Happening("sent", message.topic, detail=str(message.payload)))


class _Socket:
    """One client's connection and the channels on it, by their full topic."""

    def __init__(self, server: Realtime, request: web.Request, ws: web.WebSocketResponse) -> None:
        self.channels: dict[str, Channel] = {}
        self._server = server
        self._request = request
        self._ws = ws
        self._serializer = SERIALIZERS[request.query.get("vsn", "1.0.0")]

    async def receive(self, frame: Frame) -> None:
        """Do what a frame asks for."""
        match frame.event:
            case "heartbeat":
                self._note("heartbeat")
                if self._server.answers_heartbeats:
                    await self._reply(frame, "ok", {})
            case "phx_join":
                await self._join(frame)
            case "phx_leave" if frame.topic in self.channels:
                self._note("left", frame.topic)
                await self.channels[frame.topic].leave(frame.ref)
            case "access_token" if frame.topic in self.channels:
                self._note("token", frame.topic)
                await self.channels[frame.topic].new_token(str(frame.payload.get("access_token") or ""))
            case _ if frame.topic not in self.channels:
                await self._reply(frame, "error", {"reason": "unmatched topic"})

    async def broadcast(self, message: Broadcast) -> None:
        """Pass a message on to the channel it is for."""
        for channel in list(self.channels.values()):
            await channel.broadcast(message, self._send_broadcast)

    def abort(self) -> None:
        """Cut the connection."""
        transport = self._request.transport
        if transport is not None:
            reset = struct.pack("ii", 1, 0)  # no lingering: the client sees a reset, not an orderly end
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            transport.abort()

    def forget(self) -> None:
        for channel in self.channels.values():
            channel.forget()

    async def _join(self, frame: Frame) -> None:
        if frame.topic in self.channels:
            self.channels.pop(frame.topic).forget()
        channel = Channel(self._server, frame, self._send, lambda _: self._closed(frame.topic))
        try:
            await channel.admit({"role": "anon"})
        except RefusedJoin as refused:
            channel.forget()
            self._note("refused", frame.topic, detail=str(refused))
            await channel.refuse(str(refused))
        else:
            self.channels[frame.topic] = channel
            await channel.welcome()
            self._note("joined", frame.topic, user_id=str(channel.claims.get("sub", "")))

    def _closed(self, topic: str) -> None:
        self.channels.pop(topic, None)
        self._note("ended", topic)

    def _note(self, what: str, topic: str = "", *, user_id: str = "", detail: str = "") -> None:
        self._server.seen.add(Happening(what, topic.removeprefix("realtime:"), user_id, detail))

    async def _reply(self, frame: Frame, status: str, response: dict[str, str]) -> None:
        payload = {"status": status, "response": response}
        await self._send(Frame(frame.topic, "phx_reply", payload, frame.ref, frame.join_ref))

    async def _send(self, frame: Frame) -> None:
        await self._write(self._serializer.encode(frame))

    async def _send_broadcast(self, message: Broadcast) -> None:
        await self._write(self._serializer.broadcast(message))

    async def _write(self, wire: str | bytes) -> None:
        if self._ws.closed:
            return
        with contextlib.suppress(ConnectionError):  # it closes meanwhile; that is noted where it is read
            await (self._ws.send_bytes(wire) if isinstance(wire, bytes) else self._ws.send_str(wire))
