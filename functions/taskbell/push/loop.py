"""The thread that sends.

In: jobs from any thread. Out: their responses. Touches: the network, through `Multi`.

Encryption happens here too, just before a message goes out, while libcurl waits for the answers to earlier
ones: in a second thread it would fight over the interpreter lock, and in the caller's before sending it
would delay the first message and hold every body in memory.
"""

import contextlib
import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

from taskbell.push.batch import Batch, Job
from taskbell.push.endpoint import is_loopback
from taskbell.push.lanes import Lanes
from taskbell.push.message import PushMessage, failure
from taskbell.push.multi import Multi
from taskbell.push.refusal import KeysRefused, PushRefused
from taskbell.push.request import PushRequest
from taskbell.push.transfer import Transfer

STARTED_AT_ONCE = 16  # between two looks at the network: enough to share its cost, too few to delay answers
MOST_IN_FLIGHT_FACTOR = 10  # of max_streams, over all push services: bounds memory

_log = logging.getLogger(__name__)


class Loop:
    """One multi handle, the thread that owns it, and the order in which messages go out."""

    def __init__(
        self, make_request: Callable[[PushMessage, str], PushRequest], *, ca_file: str, max_streams: int
    ) -> None:
        self._make_request = make_request
        self._ca_file = ca_file
        self._most_idle = max_streams
        self._most_in_flight = MOST_IN_FLIGHT_FACTOR * max_streams
        self._multi = Multi(max_streams)
        self._lanes = Lanes(max_streams)
        self._submitted: deque[Batch] = deque()
        self._batches: list[Batch] = []
        self._idle: list[Transfer] = []
        self._in_flight: dict[Any, tuple[Transfer, Job]] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="push-sender", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still takes batches."""
        return self._thread.is_alive() and not self._stopping

    def submit(self, batch: Batch) -> None:
        """Take over a batch; its jobs are finished by its deadline."""
        self._submitted.append(batch)
        self._multi.wake()

    def stop(self) -> None:
        """End the thread; what is unfinished ends as `closed`."""
        self._stopping = True
        self._multi.wake()
        self._thread.join()

    def _run(self) -> None:
        error = "internal_error"
        try:
            while not self._stopping:
                self._turn()
            error = "closed"
        except Exception as exception:
            _log_fault("push loop ended", exception)
        finally:
            self._stopping = True
            self._give_up(error)

    def _turn(self) -> None:
        while self._submitted:
            batch = self._submitted.popleft()
            self._batches.append(batch)
            for job in batch.jobs:
                self._lanes.add(job)
        started = self._start_some()
        now = time.monotonic()
        next_deadline = min((batch.deadline for batch in self._batches), default=now + 60)
        for handle, curl_error in self._multi.poll(0 if started == STARTED_AT_ONCE else next_deadline - now):
            self._finish(handle, curl_error)
        self._expire(time.monotonic())

    def _start_some(self) -> int:
        started = 0
        while started < STARTED_AT_ONCE and len(self._in_flight) < self._most_in_flight:
            job = self._lanes.take()
            if job is None:
                break
            started += 1
            self._start(job)
        return started

    def _start(self, job: Job) -> None:
        try:
            request = self._make_request(job.message, job.origin)
        except PushRefused as refused:
            self._skip(job, "bad_subscription" if isinstance(refused, KeysRefused) else refused.reason)
            return
        except Exception as exception:
            # A fault of ours with one message must not take the others with it.
            _log_fault("push not made", exception)
            self._skip(job, "internal_error")
            return
        left_seconds = job.batch.deadline - time.monotonic()
        if left_seconds <= 0:
            self._lanes.skipped(job)
            job.give_up()
            return
        transfer = self._idle.pop() if self._idle else Transfer(self._ca_file)
        transfer.prepare(
            request,
            to_loopback=is_loopback(job.origin),
            share_connection=self._lanes.multiplexes(job),
            timeout_seconds=left_seconds,
        )
        job.started = True
        self._in_flight[transfer.handle] = transfer, job
        self._multi.add(transfer.handle)

    def _skip(self, job: Job, error: str) -> None:
        self._lanes.skipped(job)
        job.finish(failure(error))

    def _finish(self, handle: Any, curl_error: int) -> None:
        transfer, job = self._in_flight.pop(handle)
        response = transfer.response(curl_error)
        if response.error is None:
            self._lanes.answered(job, now=time.monotonic(), multiplexed=transfer.multiplexed)
        else:
            self._lanes.failed(job, response, connected=transfer.connected)
        self._multi.remove(handle)
        if len(self._idle) < self._most_idle:
            self._idle.append(transfer)
        if response.error == "reset" and not job.resent and job.batch.deadline > time.monotonic():
            # A connection that breaks takes with it messages that were nobody's fault. If one had arrived
            # after all, its repetition replaces it: same topic, same tag, same event.
            job.started, job.resent = False, True
            self._lanes.add(job)
            return
        job.finish(response)

    def _expire(self, now: float) -> None:
        for batch in self._batches:
            if batch.deadline <= now:
                batch.expire()
        self._batches = [batch for batch in self._batches if batch.deadline > now and not batch.complete]

    def _give_up(self, error: str) -> None:
        for _, job in self._in_flight.values():
            job.finish(failure(error))
        for batch in (*self._batches, *self._submitted):
            for job in batch.jobs:
                job.finish(failure(error))
        with contextlib.suppress(Exception):  # whatever state a fault has left it in
            for handle in self._in_flight:
                self._multi.remove(handle)
            self._multi.close()


def _log_fault(what: str, exception: Exception) -> None:
    """Log a fault of ours by its type and place: its text might quote a message."""
    places = traceback.extract_tb(exception.__traceback__)
    place = f"{places[-1].filename}:{places[-1].lineno}" if places else "unknown"
    _log.error("%s: %s at %s", what, type(exception).__name__, place)
