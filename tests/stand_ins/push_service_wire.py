"""HTTP/2 and HTTP/1.1 for the push service, well-behaved or not.

In: connections. Out: whole requests to a handler, its replies to the client. Touches: the connections it is
given.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from tests.stand_ins.push_service_rules import Answer, Request

CHUNK_BYTES = 16 * 1024
SLOW_DRIP_SECONDS = 0.05


@dataclass(frozen=True)
class Reply:
    """What to do with a request: answer it, or fail in one of the ways that real servers and networks do.

    `fault`: `silence` never answers; `reset` ends the stream (HTTP/1.1: the connection) without an answer;
    `half_close` closes the connection in the middle of the answer; `drip` sends the body byte by byte;
    `goaway` answers this request, refuses all others on the connection and closes it.
    """

    answer: Answer
    fault: str | None = None


Handler = Callable[[Request], Awaitable[Reply]]


async def serve_connection(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler, max_streams: int
) -> None:
    """Serve one connection until it ends, in the protocol that its TLS handshake chose."""
    tls = writer.get_extra_info("ssl_object")
    try:
        with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            if tls is not None and tls.selected_alpn_protocol() == "h2":
                await _Http2(reader, writer, handler, max_streams).run()
            else:
                await _serve_http1(reader, writer, handler)
    finally:
        writer.transport.abort()


async def _serve_http1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        fields = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.strip().lower(): value.strip() for name, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        reply = await handler(Request(method, path, headers, body, "1.1"))
        answer = reply.answer
        if reply.fault == "silence":
            await asyncio.sleep(3600)  # or until the service stops
        if reply.fault == "reset":
            return
        lines = [f"HTTP/1.1 {answer.status} -", f"content-length: {len(answer.body)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        if reply.fault == "half_close":
            writer.write(answer.body[: len(answer.body) // 2])
            await writer.drain()
            return
        step = 1 if reply.fault == "drip" else CHUNK_BYTES
        for at in range(0, len(answer.body), step):
            writer.write(answer.body[at : at + step])
            await writer.drain()
            await asyncio.sleep(SLOW_DRIP_SECONDS if step == 1 else 0)
        if reply.fault == "goaway":
            await writer.drain()
            return


class _Http2:
    """One HTTP/2 connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler, max_streams: int
    ) -> None:
        self._reader, self._writer, self._handler = reader, writer, handler
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self._h2 = h2.connection.H2Connection(config)
        self._h2.local_settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] = max_streams
        self._heads: dict[int, dict[str, str]] = {}
        self._bodies: dict[int, bytearray] = {}
        self._window_grown = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._going_away = False

    async def run(self) -> None:
        self._h2.initiate_connection()
        self._flush()
        try:
            while data := await self._reader.read(65536):
                for event in self._h2.receive_data(data):
                    self._on(event)
                self._flush()
        except h2.exceptions.ProtocolError:
            self._flush()
        finally:
            for task in self._tasks:
                task.cancel()

    def _on(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            if self._going_away:
                self._h2.reset_stream(event.stream_id, h2.errors.ErrorCodes.REFUSED_STREAM)
                return
            self._heads[event.stream_id] = {str(name): str(value) for name, value in event.headers}
            self._bodies[event.stream_id] = bytearray()
        elif isinstance(event, h2.events.DataReceived):
            self._bodies.get(event.stream_id, bytearray()).extend(event.data)
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded) and event.stream_id in self._heads:
            task = asyncio.ensure_future(self._respond(event.stream_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif isinstance(event, h2.events.WindowUpdated | h2.events.RemoteSettingsChanged):
            self._window_grown.set()

    async def _respond(self, stream_id: int) -> None:
        head, body = self._heads.pop(stream_id), bytes(self._bodies.pop(stream_id))
        reply = await self._handler(Request(head[":method"], head[":path"], head, body, "2"))
        if reply.fault == "silence":
            return
        with contextlib.suppress(h2.exceptions.ProtocolError, OSError):  # the client has gone
            if reply.fault == "reset":
                self._h2.reset_stream(stream_id, h2.errors.ErrorCodes.INTERNAL_ERROR)
                self._flush()
                return
            await self._send(stream_id, reply)
            if reply.fault == "goaway":
                self._going_away = True
                self._h2.close_connection(last_stream_id=stream_id)
                self._flush()
                self._writer.close()

    async def _send(self, stream_id: int, reply: Reply) -> None:
        answer = reply.answer
        headers = [(":status", str(answer.status)), *answer.headers]
        self._h2.send_headers(stream_id, headers, end_stream=not answer.body)
        self._flush()
        at = 0
        while at < len(answer.body):
            if reply.fault == "half_close" and at:
                self._writer.transport.abort()
                return
            room = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)
            if not room:
                self._window_grown.clear()
                await self._window_grown.wait()
                continue
            chunk = answer.body[at : at + (1 if reply.fault in ("drip", "half_close") else room)]
            at += len(chunk)
            self._h2.send_data(stream_id, chunk, end_stream=at == len(answer.body))
            self._flush()
            await asyncio.sleep(SLOW_DRIP_SECONDS if reply.fault == "drip" else 0)

    def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())
