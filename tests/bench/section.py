"""What a section is: a module here with a title and `measure`; and which there are, in the order they run.

In: names. Out: modules. Touches: what importing them touches.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Protocol, cast

Figures = dict[str, object]
Progress = Callable[[float, str], None]
"""Called with how much is done, 0 to 1, and what is being done."""

ORDER = (
    "sending",
    "cpu_per_push",
    "bad_origin",
    "single_task",
    "burst",
    "sustained",
    "scaling",
    "growth",
    "idle",
    "inbox_poll",
    "pages",
    "cold_start",
    "memory",
    "commit_to_badge",
    "commit_to_notification",
)


class Missing(Exception):  # noqa: N818  no error: the section is skipped, and says so
    """A section needs something that is not installed here; the message names it."""


class Section(Protocol):
    """A module that measures one thing, in a process of its own or with the others."""

    TITLE: str

    def measure(self, progress: Progress, *, quick: bool) -> Figures:
        """Return figures that JSON can hold; `quick` runs everything once and proves only that it runs."""
        ...


def load(name: str) -> Section:
    """Return the section of that name; raises ImportError if it cannot be loaded."""
    module = importlib.import_module(f"tests.bench.{name}")
    return cast("Section", module)


def alone(name: str) -> int:
    """Run one section by itself, `--quick` or not, and print its figures: what a section's `main` calls."""
    from tests.bench import command

    return command.run([name.rpartition(".")[2], *sys.argv[1:]])
