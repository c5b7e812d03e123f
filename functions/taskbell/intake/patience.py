"""Answers in time whatever happens behind.

pg_net makes all webhooks of a project wait for a slow receiver, so that a hanging database or push service
must not hang us. In: work and a number of seconds. Out: its result, or `StillWorking` while it goes on in its
thread. Touches threads only.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from taskbell.errors import Unavailable

Result = TypeVar("Result")


class StillWorking(Exception):  # noqa: N818  not an error: the work goes on
    """The time is up; the work goes on behind."""


class Patience:
    """Runs work in threads of its own, at most `places` at once, and waits for it only so long."""

    def __init__(self, places: int = 64) -> None:
        self._places = threading.BoundedSemaphore(places)

    def wait_for(self, work: Callable[[], Result], *, seconds: float) -> Result:
        """Return what `work` returns, or raise what it raises; StillWorking after `seconds`.

        Raises Unavailable (`busy`) where all places are taken by work that hangs.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable("busy", "Too much is waiting behind this function; nothing is lost.")
        run = _Run(work, self._places)
        # A daemon: a thread that hangs must not keep the process from ending.
        threading.Thread(target=run, name="taskbell-patience", daemon=True).start()
        if not run.ended.wait(seconds):
            raise StillWorking
        return run.result()


class _Run(Generic[Result]):
    def __init__(self, work: Callable[[], Result], places: threading.BoundedSemaphore) -> None:
        self._work = work
        self._places = places
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self.ended = threading.Event()

    def __call__(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # handed to whoever waits
            self._error = error
        finally:
            self._places.release()
            self.ended.set()

    def result(self) -> Result:
        if self._error is not None:
            raise self._error
        return self._results[0]
