"""When nothing is left to do: every event is finished, and every delivery ended for a reason.

In: the memory, the browsers' moods, the database. Out: nothing, or a broken promise. Touches nothing, reads.
"""

from __future__ import annotations

from tests.database.database import Database
from tests.database.model_browsers import Browsers
from tests.database.model_people import Memory

DUE = """
select (select count(*) from taskbell.task_events where state = 'due')
+ (select count(*) from taskbell.deliveries where state = 'due')
"""

ENDED = """
select
  d.state, d.reason, n.event_id, n.task_id, s.endpoint,
  exists (
    select from taskbell.notifications o
    where o.user_id = n.user_id and o.tag = n.tag and o.event_id > n.event_id
  )
from taskbell.deliveries d
join taskbell.notifications n on n.id = d.notification_id
join taskbell.subscriptions s on s.id = d.subscription_id
"""


def is_quiet(database: Database) -> bool:
    """Whether nothing is due, now or later."""
    return bool(database.value(DUE) == 0)


def nothing_is_lost(database: Database, memory: Memory, browsers: Browsers) -> None:
    """Check every event and every delivery."""
    dead = dict(database.execute("select id, reason from taskbell.task_events where state = 'dead'"))
    assert set(dead.values()) <= {"too_many_attempts"}
    assert memory.finished | dead.keys() == memory.versions.keys()
    for state, reason, event_id, task, endpoint, replaced in database.execute(ENDED):
        moods = browsers.ever.get(endpoint, set())
        deleted = any(v.gone and v.task == task and v.number > event_id for v in memory.versions.values())
        good_reason = {
            "accepted": True,
            "superseded": replaced,
            "cancelled": reason == "seen" or (reason == "task_gone" and deleted),
            "gone": "gone" in moods,
            "rejected": "strict" in moods,
            "expired": bool(moods - {"good"}) or reason == "too_many_attempts",
        }
        assert good_reason.get(state), f"{state} because of {reason}"
