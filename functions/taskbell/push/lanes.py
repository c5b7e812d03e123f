"""Who goes next: one lane per push service, so that a slow or broken one holds up nobody but itself.

In: jobs, and how transfers ended. Out: the next job to start. Touches: nothing. Used by the loop's thread
alone.
"""

from collections import deque
from dataclasses import dataclass, field

from taskbell.push.batch import Job
from taskbell.push.message import PushResponse, failure

# Requests at once to a push service that has not yet shown that it speaks HTTP/2, or has just failed.
# Without HTTP/2 each needs a connection of its own, and if it cannot be reached, no more than these have to
# find that out.
CAUTIOUS_STREAMS = 16
MOST_LANES = 1000  # origins below a wildcard can be made up at will


@dataclass(eq=False, slots=True)
class Lane:
    """The jobs of one push service; at most `window` of them are in flight.

    `multiplexes` is what we believe of it: that requests which find its only connection still being made
    had better wait for that one than make another. Wrong for HTTP/1.1, where they would wait for the whole
    of the first answer.
    """

    window: int
    multiplexes: bool
    in_flight: int = 0
    answered_at: float = float("-inf")
    jobs: deque[Job] = field(default_factory=deque)


class Lanes:
    """Waiting jobs by origin, started in turns: one of each origin, then the next of each."""

    def __init__(self, max_streams: int) -> None:
        self._max_streams = max_streams
        self._cautious = min(CAUTIOUS_STREAMS, max_streams)
        self._lanes: dict[str, Lane] = {}
        self._waiting: deque[Lane] = deque()

    def add(self, job: Job) -> None:
        """Let a job wait for its turn."""
        lane = self._lane(job.origin)
        if not lane.jobs:
            self._waiting.append(lane)
        lane.jobs.append(job)

    def take(self) -> Job | None:
        """Return the next job that may start now and count it as in flight; None if none may."""
        for _ in range(len(self._waiting)):
            lane = self._waiting.popleft()
            while lane.jobs and lane.jobs[0].finished:
                lane.jobs.popleft()
            if lane.jobs and lane.in_flight < lane.window:
                job = lane.jobs.popleft()
                lane.in_flight += 1
                if lane.jobs:
                    self._waiting.append(lane)
                return job
            if lane.jobs:
                self._waiting.append(lane)
        return None

    def multiplexes(self, job: Job) -> bool:
        """Tell whether the job's push service is believed to speak HTTP/2."""
        return self._lanes[job.origin].multiplexes

    def answered(self, job: Job, *, now: float, multiplexed: bool) -> None:
        """Note that the push service has answered a job: over HTTP/2 its window opens fully."""
        lane = self._lanes[job.origin]
        lane.in_flight -= 1
        lane.answered_at = now
        lane.multiplexes = multiplexed
        lane.window = self._max_streams if multiplexed else self._cautious

    def failed(self, job: Job, response: PushResponse, *, connected: bool) -> None:
        """Note that a job got no answer.

        If there was not even a connection, and has been none since the job was submitted, the jobs behind
        it would fare no better: they fail with it, instead of trying one after another until the budget is
        spent.
        """
        lane = self._lanes[job.origin]
        lane.in_flight -= 1
        lane.multiplexes = False
        lane.window = self._cautious
        if connected or lane.answered_at > job.batch.submitted_at:
            return
        for other in lane.jobs:
            if not other.finished and other.batch.submitted_at <= job.batch.submitted_at:
                other.finish(failure(response.error or "connection_failed"))

    def skipped(self, job: Job) -> None:
        """Note that a job that was taken never went out."""
        self._lanes[job.origin].in_flight -= 1

    def _lane(self, origin: str) -> Lane:
        lane = self._lanes.get(origin)
        if lane is None:
            if len(self._lanes) >= MOST_LANES:
                self._lanes = {
                    name: kept for name, kept in self._lanes.items() if kept.in_flight or kept.jobs
                }
            lane = self._lanes[origin] = Lane(self._cautious, multiplexes=origin.startswith("https:"))
        return lane
