"""The model's own memory: every version of every task, and what has become of it.

In: what the test does. Out: what must be seen. Touches nothing: it is told only the numbers of the events
that a change made, and which events are finished.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tests.database.model_fold import Key, Version, fold

ENDS = {"draft_ready", "completed", "failed"}


@dataclass
class Memory:
    """`applied` holds, for each event that counted, the version with the status that is shown for it."""

    versions: dict[int, Version] = field(default_factory=dict)
    rows: dict[str, Version] = field(default_factory=dict)
    drafted: set[str] = field(default_factory=set)
    finished: set[int] = field(default_factory=set)
    applied: dict[int, Version] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    seen: dict[Key, int] = field(default_factory=dict)
    rings: set[tuple[int, str]] = field(default_factory=set)

    def wrote(self, version: Version) -> None:
        """Remember what a change left behind; `number` is its event's."""
        self.versions[version.number] = version
        self.rows[version.task] = version

    def finish(self, numbers: Iterable[int], drafted: dict[int, frozenset[str]]) -> None:
        """Remember that these events are finished, claimed when those tasks had drafts."""
        new: dict[str, Version] = {}
        for number in sorted(numbers):
            self.finished.add(number)
            version = self.versions[number]
            if version.status == "completed" and version.task in drafted[number]:
                version = replace(version, status="draft_ready")
            new[version.task] = version
        for version in new.values():
            self._apply(version)
        self._forget_what_is_gone()

    def shown(self) -> dict[Key, tuple[str, str, bool]]:
        """What each contact must show: task, status, unseen."""
        return {
            key: (version.task, version.status, self._unseen(key, version))
            for key, version in fold(self.applied.values()).items()
        }

    def look_at(self, owner: str, contact: str) -> None:
        """The person has opened the contact."""
        for key, version in fold(self.applied.values()).items():
            if key[:2] == (owner, contact):
                self.seen[key] = max(version.number, self.seen.get(key, 0))

    def _apply(self, version: Version) -> None:
        before = max((v.number for v in self.applied.values() if v.task == version.task), default=0)
        if before > version.number:
            return  # too late
        self.applied[version.number] = version
        if before and not version.gone and self._stands_alike(self.applied[before], version):
            return
        self.reached[version.task] = version.number
        if version.status in ENDS and not version.gone:
            self.rings.add((version.number, version.owner))

    def _stands_alike(self, old: Version, new: Version) -> bool:
        """Whether nothing happened in between that a person would want to know."""
        between = [v for n, v in self.versions.items() if v.task == new.task and old.number < n < new.number]
        raw = self.versions[new.number].status
        return (
            not old.gone
            and (old.contact, old.agent, old.status) == (new.contact, new.agent, new.status)
            and not any(v.gone or v.status != raw for v in between)
        )

    def _unseen(self, key: Key, version: Version) -> bool:
        return version.status in ENDS and self.reached[version.task] > self.seen.get(key, 0)

    def _forget_what_is_gone(self) -> None:
        there = fold(self.applied.values())
        self.seen = {key: number for key, number in self.seen.items() if key in there}
