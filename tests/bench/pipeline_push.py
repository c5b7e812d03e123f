"""The push service of the pipeline's measurements: `push_server`, and the time of every request that it took.

In: pushes over TLS. Out: 201 to each, and a file of times (8-byte floats, seconds since the epoch), one for
each request, appended when its 201 is written. Touches: one loopback port, that file.
Run: `python -m tests.bench.pipeline_push CERTIFICATE KEY TIMES`; it prints its port.
"""

import array
import asyncio
import ssl
import sys
import time
from pathlib import Path
from typing import BinaryIO

from tests.bench.push_server import CREATED_BLOCK, CREATED_HTTP1, Connection

LENGTH_HTTP2 = 9 + len(CREATED_BLOCK)


class RecordingConnection(Connection):
    """Notes when it answers."""

    def __init__(self, times: BinaryIO) -> None:
        super().__init__(0)
        self._times = times

    def _read_http2(self) -> bytes:
        return self._noted(super()._read_http2(), LENGTH_HTTP2)

    def _read_http1(self) -> bytes:
        return self._noted(super()._read_http1(), len(CREATED_HTTP1))

    def _noted(self, answers: bytes, length: int) -> bytes:
        if answers:
            self._times.write(array.array("d", [time.time()] * (len(answers) // length)).tobytes())
        return answers


async def serve(certificate: Path, key: Path, times: Path) -> None:
    """Serve until killed, after printing the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with times.open("ab", buffering=0) as file:
        server = await asyncio.get_running_loop().create_server(
            lambda: RecordingConnection(file), "127.0.0.1", 0, ssl=context, backlog=1000
        )
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*map(Path, sys.argv[1:])))
