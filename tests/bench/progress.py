"""Says how far it is: one line that is written over on a terminal, a plain line now and then elsewhere.

In: fractions and words. Out: lines on a stream. Touches: that stream.
"""

import shutil
import time
from collections.abc import Callable
from typing import TextIO

BAR_CELLS = 24
PARTS = " ▏▎▍▌▋▊▉█"
QUIET_SECONDS = 10.0
"""How long nothing is said where there is no terminal, unless a section begins or ends."""


class ProgressLine:
    """The line of one section; `label` stands before the bar, such as `3/15 burst`."""

    def __init__(self, stream: TextIO, label: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._label = label
        self._clock = clock
        self._terminal = stream.isatty()
        self._started = clock()
        self._said_at = float("-inf")

    def __call__(self, fraction: float, words: str) -> None:
        """Say how much is done, 0 to 1, and what is being done."""
        fraction = min(1.0, max(0.0, fraction))
        now = self._clock()
        if self._terminal:
            line = (
                f"{self._label:<26} {bar(fraction)} {fraction:4.0%} {elapsed(now - self._started)}  {words}"
            )
            self._write(f"\r\x1b[2K{line[: shutil.get_terminal_size().columns - 1]}")
        elif now - self._said_at >= QUIET_SECONDS:
            self._said_at = now
            self._write(f"{self._label}  {fraction:4.0%}  {words}\n")

    def done(self, words: str) -> None:
        """Leave a line that stays."""
        line = f"{self._label:<26} {words}  {elapsed(self._clock() - self._started)}\n"
        self._write(f"\r\x1b[2K{line}" if self._terminal else line)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def bar(fraction: float) -> str:
    """Return a bar of eighths of a cell."""
    eighths = round(fraction * BAR_CELLS * 8)
    full, rest = divmod(eighths, 8)
    return f"▕{('█' * full + PARTS[rest].strip()).ljust(BAR_CELLS)}▏"


def elapsed(seconds: float) -> str:
    """Return minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
