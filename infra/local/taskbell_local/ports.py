"""Loopback ports for servers that are told where to listen.

In: how many. Out: ports that nobody uses now. Touches: each of them, for an instant.
"""

import contextlib
import secrets
import socket

# What lies above is handed out to connections (Linux from 32768, macOS and RFC 6335 from 49152): on a busy
# machine such a port may be taken between being found and being listened on.
LOWEST, HIGHEST = 10_000, 32_767


def free_ports(count: int) -> list[int]:
    """Return so many different ones."""
    with contextlib.ExitStack() as probes:
        return [_found(probes.enter_context(socket.socket())) for _ in range(count)]


def _found(probe: socket.socket) -> int:
    """Bind to a port that is free, and return it."""
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
