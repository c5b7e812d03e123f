"""The two headers that make polling cheap: If-None-Match (RFC 9110 §13.1.2) and Prefer: wait (RFC 7240).

In: header values as sent, whatever they hold. Out: what they mean; what is malformed means nothing.
Touches nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_WAIT_SECONDS = 25.0

_ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_VERSION = re.compile(r"v(0|[1-9][0-9]{0,17})")
_PREFERENCE = re.compile(r'\s*wait\s*=\s*(?:"([0-9]{1,9})"|([0-9]{1,9}))\s*(?:;.*)?', re.IGNORECASE)


@dataclass(frozen=True)
class Known:
    """What the caller has already."""

    versions: frozenset[int] = frozenset()
    anything: bool = False

    def has(self, version: int) -> bool:
        """Whether that version need not be sent again."""
        return self.anything or version in self.versions

    @property
    def newest(self) -> int | None:
        """The highest version named."""
        return max(self.versions, default=None)


def entity_tag(version: int) -> str:
    """Return the ETag of an inbox version."""
    return f'"v{version}"'


def known_versions(values: Sequence[str]) -> Known:
    """Read If-None-Match: tags are compared weakly, those that are not ours are passed over."""
    joined = ",".join(values)
    if joined.strip() == "*":
        return Known(anything=True)
    matches = (_VERSION.fullmatch(tag) for tag in _ENTITY_TAG.findall(joined))
    return Known(versions=frozenset(int(match[1]) for match in matches if match))


def preferred_wait_seconds(values: Sequence[str]) -> float:
    """Read Prefer: the first `wait` counts (RFC 7240 §2), at most 25 s; 0.0 if there is none."""
    for preference in ",".join(values).split(","):
        match = _PREFERENCE.fullmatch(preference)
        if match:
            return min(float(match[1] or match[2]), LONGEST_WAIT_SECONDS)
    return 0.0
