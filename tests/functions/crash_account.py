"""What became of events: accepted, quiet, dead, lost; and which pushes came twice, how alike.

In: event ids, the database, the push service's record. Out: counts, one row of the table a kill point.
Touches nothing but the database, reading.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.functions.crash_stage import Stage
from tests.stand_ins.push_service import Received

TOLD = {"accepted", "superseded", "cancelled"}

_FATES = """
select
  e.id, e.state, e.reason, exists (select from taskbell.notifications n where n.event_id = e.id),
  array(
    select d.state
    from taskbell.notifications n join taskbell.deliveries d on d.notification_id = n.id
    where n.event_id = e.id
  ),
  array(
    select s.endpoint
    from taskbell.notifications n
    join taskbell.deliveries d on d.notification_id = n.id and d.state = 'accepted'
    join taskbell.subscriptions s on s.id = d.subscription_id
    where n.event_id = e.id
  )
from taskbell.task_events e
where e.id > %s and e.id <= %s
order by e.id
"""


@dataclass
class Tally:
    """Counts of one kill point. `lost` lists events that ended in no way that they may end."""

    kills: int = 0
    events: int = 0
    accepted: int = 0
    quiet: int = 0
    dead: int = 0
    pushes: int = 0
    duplicates: int = 0
    lost: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.kills + other.kills,
            self.events + other.events,
            self.accepted + other.accepted,
            self.quiet + other.quiet,
            self.dead + other.dead,
            self.pushes + other.pushes,
            self.duplicates + other.duplicates,
            self.lost + other.lost,
        )


@dataclass(frozen=True)
class Repeat:
    """The same event pushed to the same browser again."""

    event_id: int
    first: Received
    second: Received

    @property
    def replaces(self) -> bool:
        """Whether it takes the place of the first on screen, and in the push service's queue."""
        tags = {_notification(push)["tag"] for push in (self.first, self.second)}
        topics = {push.headers["topic"] for push in (self.first, self.second)}
        return len(tags) == 1 and tags == topics


def newest_event(stage: Stage) -> int:
    [(newest,)] = stage.sql("select coalesce(max(id), 0) from taskbell.task_events")
    return int(newest)


def tally(stage: Stage, after: int, pushes: Sequence[Received]) -> tuple[Tally, list[Repeat]]:
    """Count the events that came after one, and their pushes; all must have ended."""
    result = Tally()
    arrived = _by_event(pushes)
    for event_id, state, reason, rang, deliveries, endpoints in stage.sql(_FATES, after, newest_event(stage)):
        result.events += 1
        missing = [endpoint for endpoint in endpoints if (event_id, endpoint) not in arrived]
        if state == "dead" or set(deliveries) & {"rejected", "expired"}:
            result.dead += 1
        elif state != "done" or set(deliveries) - TOLD or missing:
            result.lost.append(f"event {event_id}: {state} {reason} {dict(Counter(deliveries))}, {missing}")
        elif "accepted" in deliveries:
            result.accepted += 1
        elif not rang or deliveries:
            result.quiet += 1  # it says nothing, or something newer says more
        else:
            result.lost.append(f"event {event_id}: rang nowhere")
    result.pushes = sum(map(len, arrived.values()))
    repeats = [
        Repeat(event_id, first, second)
        for (event_id, _), same in arrived.items()
        for first, second in itertools.pairwise(same)
    ]
    result.duplicates = len(repeats)
    return result, repeats


def table(rows: Iterable[tuple[str, Tally]]) -> list[str]:
    """Return the lines of the table."""
    lines = [["killed at", "kills", "events", "accepted", "quiet", "dead", "lost", "pushes", "duplicates"]]
    for name, t in rows:
        counts = [t.kills, t.events, t.accepted, t.quiet, t.dead, len(t.lost), t.pushes, t.duplicates]
        lines.append([name, *map(str, counts)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(_padded, range(len(line)), line, widths)) for line in lines]


def _padded(column: int, cell: str, width: int) -> str:
    return cell.rjust(width) if column else cell.ljust(width)


def _by_event(pushes: Sequence[Received]) -> dict[tuple[int, str], list[Received]]:
    arrived = defaultdict(list)
    for push in pushes:
        assert push.status == 201, push.reason
        arrived[_notification(push)["data"]["event_id"], push.endpoint].append(push)
    return arrived


def _notification(push: Received) -> dict[str, Any]:
    assert push.payload is not None
    notification: dict[str, Any] = json.loads(push.payload)["notification"]
    return notification
