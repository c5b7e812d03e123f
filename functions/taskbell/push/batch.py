"""One call of `send`: its messages on the way in, its responses on the way out, and when it must be over.

Touches: nothing. The loop's thread writes the responses, the caller's waits for them.
"""

import threading
import time
from dataclasses import dataclass

from taskbell.push.message import PushMessage, PushResponse, failure

# The loop ends everything at the deadline; the caller waits this much longer, in case the machine is busy.
GRACE_SECONDS = 0.5
LONGEST_BUDGET_SECONDS = 3600.0


@dataclass(eq=False, slots=True)
class Job:
    """One message of a batch, and its place among the results."""

    message: PushMessage
    origin: str
    batch: "Batch"
    index: int
    started: bool = False
    resent: bool = False

    def finish(self, response: PushResponse) -> None:
        """Hand over the response; only the first one counts."""
        self.batch.put(self.index, response)

    def give_up(self) -> None:
        """End it because the budget has ended, saying whether it may have arrived."""
        error = "timeout" if self.started else "reset" if self.resent else "budget_exhausted"
        self.finish(failure(error))

    @property
    def finished(self) -> bool:
        """Whether there is a response already."""
        return self.batch.responses[self.index] is not None


class Batch:
    """The responses of one call of `send`, in the order of its messages."""

    def __init__(self, size: int, budget_seconds: float) -> None:
        self.submitted_at = time.monotonic()
        self.deadline = self.submitted_at + min(max(0.0, budget_seconds), LONGEST_BUDGET_SECONDS)
        self.responses: list[PushResponse | None] = [None] * size
        self.jobs: list[Job] = []
        self._missing = size
        self._lock = threading.Lock()
        self._complete = threading.Event()
        if not size:
            self._complete.set()

    @property
    def complete(self) -> bool:
        """Whether every message has its response."""
        return self._complete.is_set()

    def put(self, index: int, response: PushResponse) -> None:
        """Store a response unless there is one, and wake the caller after the last."""
        with self._lock:
            if self.responses[index] is not None:
                return
            self.responses[index] = response
            self._missing -= 1
            if not self._missing:
                self._complete.set()

    def expire(self) -> None:
        """Give up on what waits for its turn; what is in flight, libcurl ends at the same moment."""
        for job in self.jobs:
            if not job.started:
                job.give_up()

    def wait(self) -> list[PushResponse]:
        """Wait for all responses, not much longer than the budget."""
        self._complete.wait(self.deadline + GRACE_SECONDS - time.monotonic())
        # The first response counts: what the loop, if it was held up, has to say later changes nothing any
        # more.
        for job in self.jobs:
            job.give_up()
        return [response for response in self.responses if response is not None]
