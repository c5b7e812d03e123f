"""What a person's contacts must show, told from the versions of the tasks' rows and from nothing else.

In: versions, each a row as one change left it. Out: states by person, contact and agent. Touches nothing, and
knows nothing of how the database goes about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Key = tuple[str, str, str]
"""A person, a contact, an agent."""


@dataclass(frozen=True)
class Version:
    """One version of a task's row; `number` grows with the order of commits. Gone: the row was deleted."""

    number: int
    task: str
    owner: str
    contact: str | None
    agent: str
    status: str
    gone: bool = False

    @property
    def key(self) -> Key | None:
        """What it is shown on, if the task still is and has a contact."""
        return None if self.gone or self.contact is None else (self.owner, self.contact, self.agent)


def fold(versions: Iterable[Version]) -> dict[Key, Version]:
    """Return for each key the version that it shows: of the tasks that stand there, the newest change."""
    newest: dict[str, Version] = {}
    for version in versions:
        known = newest.get(version.task)
        if known is None or known.number < version.number:
            newest[version.task] = version
    shown: dict[Key, Version] = {}
    for version in sorted(newest.values(), key=lambda one: one.number):
        if version.key is not None:
            shown[version.key] = version
    return shown
