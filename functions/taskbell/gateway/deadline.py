"""One deadline for all that a call does on the network.

In: when the calling thread's patience ends. Out: an HTTP/1.1 transport for httpx that keeps to it. httpx
itself bounds each wait, not their sum: an answer that drips in byte by byte would never be late. Only the
look-up of a name is bounded by the system's resolver alone, which cannot be interrupted.
"""

import math
import socket
import threading
import time
from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

import httpcore
import httpx


class Patience(threading.local):
    """When this thread's call has to end, on time.monotonic's clock."""

    ends_at = math.inf

    def left(self, at_most: float | None, late: type[httpcore.TimeoutException]) -> float:
        """Return the seconds that the next wait may take; raises `late` where there are none."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise late
        return min(left, math.inf if at_most is None else at_most)


class BoundedTransport(httpx.HTTPTransport):
    """Connections over HTTP/1.1 on which nothing outlasts the patience of the thread that waits for it."""

    def __init__(self, patience: Patience, limits: httpx.Limits) -> None:
        authorities = httpx.create_ssl_context()  # once: 40 ms of a cold start
        super().__init__(verify=authorities, http2=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=authorities,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Backend(patience),
        )


class _Backend(httpcore.SyncBackend):
    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        ends_at = time.monotonic() + self._patience.left(timeout, httpcore.ConnectTimeout)
        addresses = _addresses(host, port)
        for position, address in enumerate(addresses):
            # Each has its share of what is left: the system's own way gives every one of them the whole.
            share = (ends_at - time.monotonic()) / (len(addresses) - position)
            try:
                stream = super().connect_tcp(address, port, max(share, 0.001), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if position == len(addresses) - 1:
                    raise
            else:
                return _Stream(stream, self._patience)
        raise httpcore.ConnectError("the name has no address")


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, patience: Patience) -> None:
        self._stream, self._patience = stream, patience

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._patience.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._patience.left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        bounded = self._patience.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, bounded), self._patience)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError("the name was not found") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
