"""libcurl's multi handle driven by events. In: handles. Out: finished handles. Touches: sockets.

Without `select`, which stalls and knows no descriptor above 1023: libcurl says which sockets and which
timer it waits for, a selector waits for them, and a socket pair wakes it. Only the thread that made it may
use it, but for `wake`.
"""

import contextlib
import selectors
import socket
import time
from typing import Any

import pycurl

CONNECTIONS_PER_ORIGIN = 16  # as many as a lane starts without HTTP/2

_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}


class Multi:
    """Any number of transfers at once, over connections that are kept."""

    def __init__(self, max_streams: int) -> None:
        self._timer_at = float("inf")
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.settimeout(0)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._multi: Any = pycurl.CurlMulti()
        for option, value in (
            (pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX),
            (pycurl.M_MAX_CONCURRENT_STREAMS, max_streams),
            (pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_ORIGIN),
            (pycurl.M_SOCKETFUNCTION, self._watch),
            (pycurl.M_TIMERFUNCTION, self._set_timer),
        ):
            self._multi.setopt(option, value)

    def add(self, handle: Any) -> None:
        """Start a transfer; its first byte goes out at the next `poll`."""
        self._multi.add_handle(handle)

    def remove(self, handle: Any) -> None:
        """Take out a handle, finished or not, so that it can be used again."""
        self._multi.remove_handle(handle)

    def wake(self) -> None:
        """Make a waiting `poll` return at once; for any thread."""
        with contextlib.suppress(OSError):  # woken often enough already, or closed
            self._waker.send(b"\0")

    def poll(self, timeout_seconds: float) -> list[tuple[Any, int]]:
        """Move bytes until something happens or the time is over.

        Returns the handles that have finished, each with libcurl's error code.
        """
        wait_seconds = min(timeout_seconds, self._timer_at - time.monotonic())
        for key, events in self._selector.select(max(0.0, wait_seconds)):
            if key.fileobj is self._woken:
                self._woken.recv(4096)
            else:
                readable = pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0
                writable = pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0
                self._multi.socket_action(key.fd, readable | writable)
        if self._timer_at <= time.monotonic():
            self._timer_at = float("inf")
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return self._finished()

    def close(self) -> None:
        """Close all connections; every handle must have been removed."""
        self._multi.close()
        self._selector.close()
        self._woken.close()
        self._waker.close()

    def _finished(self) -> list[tuple[Any, int]]:
        finished: list[tuple[Any, int]] = []
        more = 1
        while more:
            more, succeeded, failed = self._multi.info_read()
            finished += [(handle, pycurl.E_OK) for handle in succeeded]
            finished += [(handle, code) for handle, code, _ in failed]
        return finished

    def _watch(self, what: int, descriptor: int, _multi: Any, _data: Any) -> None:
        # Anew each time: a number that libcurl closed and got again looks like the old one, and is not.
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)
        if what in _EVENTS:
            self._selector.register(descriptor, _EVENTS[what])

    def _set_timer(self, milliseconds: int) -> None:
        self._timer_at = float("inf") if milliseconds < 0 else time.monotonic() + milliseconds / 1000
