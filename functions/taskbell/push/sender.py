"""Sends messages to push services.

In: messages. Out: responses, in the same order. Touches: one thread, the network.
"""

import contextlib
import os
import threading
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from taskbell.push.batch import Batch, Job
from taskbell.push.endpoint import AllowedOrigins, check_endpoint
from taskbell.push.message import PushMessage, PushResponse, failure
from taskbell.push.refusal import EndpointRefused
from taskbell.push.request import PushRequest, make_request
from taskbell.push.vapid import Vapid

if TYPE_CHECKING:
    from taskbell.push.loop import Loop


class Sender:
    """Many messages at once over few connections, kept from call to call; for any number of threads.

    Nothing starts before the first message. After a fork, the child starts anew and leaves the parent's
    connections be.
    """

    def __init__(
        self,
        vapid: Vapid,
        *,
        allowed_origins: AllowedOrigins,
        ca_file: str | None = None,
        max_streams: int = 100,
    ) -> None:
        """Send as `vapid` to `allowed_origins`, at most `max_streams` messages at once to each of them.

        `ca_file` is a PEM bundle of trusted authorities; by default that of SSL_CERT_FILE, else of the
        system, else certifi's.
        """
        self._vapid = vapid
        self._allowed = allowed_origins
        self._ca_file = ca_file
        self._max_streams = max_streams
        self._lock = threading.Lock()
        self._loop: Loop | None = None
        self._warm = False
        self._closed = False
        _senders.add(self)

    def send(self, messages: Sequence[PushMessage], *, budget_seconds: float) -> list[PushResponse]:
        """Send messages and return one response for each, in order, within the budget.

        Whatever happens to a message is its response; nothing is raised for it. At the end of the budget, a
        message in flight has `timeout` (it may have arrived), one not yet started `budget_exhausted` (it
        has not).
        """
        batch = Batch(len(messages), budget_seconds)
        for index, message in enumerate(messages):
            try:
                origin = check_endpoint(message.endpoint, self._allowed)
            except EndpointRefused as refused:
                batch.put(index, failure(refused.reason))
            else:
                batch.jobs.append(Job(message, origin, batch, index))
        if batch.jobs and not self._submit(batch):
            for job in batch.jobs:
                job.finish(failure("closed"))
        return batch.wait()

    def warm_up(self) -> None:
        """Load what the first push needs, in a thread of its own: for callers who wait for something else."""
        if not self._warm:
            self._warm = True
            threading.Thread(target=self._load, name="push-warm-up", daemon=True).start()

    def close(self) -> None:
        """End the thread and the connections; messages unfinished, and all later ones, have `closed`."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
            if loop is not None:
                loop.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _submit(self, batch: Batch) -> bool:
        with self._lock:
            if self._closed:
                return False
            if self._loop is None or not self._loop.alive:
                # Here and not above: pycurl is loaded by the first push, not by the cold start.
                from taskbell.push.loop import Loop

                self._loop = Loop(self._request, ca_file=self._trusted(), max_streams=self._max_streams)
            self._loop.submit(batch)
            return True

    def _request(self, message: PushMessage, origin: str) -> PushRequest:
        return make_request(message, origin, self._vapid)

    def _load(self) -> None:
        with contextlib.suppress(Exception):  # the first push will say what is wrong
            from taskbell.push import loop, record  # noqa: F401

            _ = self._vapid.public_key

    def _trusted(self) -> str:
        if self._ca_file:
            return self._ca_file
        import ssl

        import certifi

        return ssl.get_default_verify_paths().cafile or certifi.where()

    def _forget_loop(self) -> None:
        """Start anew in a forked child, where the thread does not exist and the sockets are the parent's."""
        self._lock = threading.Lock()
        if self._loop is not None:
            # For ever, even past the interpreter's end: being freed, it would say goodbye on the parent's
            # connections.
            import ctypes

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._loop))
            self._loop = None


_senders: "weakref.WeakSet[Sender]" = weakref.WeakSet()


def _forget_loops() -> None:
    for sender in list(_senders):
        sender._forget_loop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_loops)
