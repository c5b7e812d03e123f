"""A push service that does nothing but answer 201 after a delay, so fast that the sender is what is measured.

In: HTTP/2 or HTTP/1.1 over TLS, as the client chooses. Out: 201 to every POST. Touches: one loopback port.
It verifies and decrypts nothing and reads no request header but Content-Length: not for tests.
Run: `python -m tests.bench.push_server DELAY_MS CERTIFICATE KEY CORE` (CORE -1: any); it prints its port.
"""

import asyncio
import os
import re
import ssl
import struct
import sys
from pathlib import Path

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CREATED_BLOCK = b"\x08\x03201"  # HPACK: `:status` by its static index, then the literal 201
CREATED_HTTP1 = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def frame(kind: int, flags: int, stream_id: int, body: bytes = b"") -> bytes:
    """Build one HTTP/2 frame (RFC 9113 § 4.1)."""
    return struct.pack(">IBI", len(body) << 8 | kind, flags, stream_id) + body


GREETING = (
    frame(SETTINGS, 0, 0, struct.pack(">HIHI", 3, 100, 4, 1 << 20))  # 100 streams, windows of 1 MB
    + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30))
)


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, delay_seconds: float) -> None:
        self._delay_seconds = delay_seconds
        self._loop = asyncio.get_running_loop()
        self._pending = bytearray()
        self._http2 = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet at once if HTTP/2 was agreed on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._http2 = transport.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        if self._http2:
            transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        """Answer, after the delay, every request that is now complete."""
        self._pending += data
        answers = self._read_http2() if self._http2 else self._read_http1()
        if answers and self._delay_seconds:
            self._loop.call_later(self._delay_seconds, self._transport.write, answers)
        elif answers:
            self._transport.write(answers)

    def _read_http2(self) -> bytes:
        pending, at, answers, received = self._pending, 0, [], 0
        if pending.startswith(PREFACE):
            at = len(PREFACE)
        while len(pending) - at >= 9:
            head, flags, stream_id = struct.unpack_from(">IBI", pending, at)
            end = at + 9 + (head >> 8)
            if end > len(pending):
                break
            kind = head & 0xFF
            if kind == DATA:
                received += head >> 8
                if flags & END_STREAM:
                    answers.append(frame(HEADERS, END_STREAM | END_HEADERS, stream_id, CREATED_BLOCK))
            elif kind in (SETTINGS, PING) and not flags & ACK:
                self._transport.write(frame(kind, ACK, 0, bytes(pending[at + 9 : end]) * (kind == PING)))
            at = end
        del pending[:at]
        if received:
            self._transport.write(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", received)))
        return b"".join(answers)

    def _read_http1(self) -> bytes:
        answers = b""
        while (body_at := self._pending.find(b"\r\n\r\n") + 4) > 3:
            length = CONTENT_LENGTH.search(self._pending, 0, body_at)
            end = body_at + int(length[1] if length else 0)
            if end > len(self._pending):
                break
            del self._pending[:end]
            answers += CREATED_HTTP1
        return answers


async def serve(delay_seconds: float, certificate: Path, key: Path) -> None:
    """Serve until killed, after printing the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(delay_seconds), "127.0.0.1", 0, ssl=context, backlog=1000
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    delay_ms, certificate_path, key_path, core = sys.argv[1:]
    if int(core) >= 0:
        os.sched_setaffinity(0, {int(core)})
    asyncio.run(serve(float(delay_ms) / 1000, Path(certificate_path), Path(key_path)))
