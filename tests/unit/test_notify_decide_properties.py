"""Whatever events come, in whatever state: each is decided, soundly, and the same way each time."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from taskbell.model import Decision, Event, Kind, Operation, Preferences, QuietHours, Recipient, Status
from taskbell.notify.decide import decide_all
from tests.unit.test_notify_decide import event

statuses = st.sampled_from(["pending", "in_progress", "completed", "failed", "cancelled", None])
recipients = st.lists(
    st.builds(
        Recipient,
        user_id=st.uuids().map(str),
        contact_name=st.none() | st.text(max_size=200),
        recent_count=st.integers(0, 9),
        preferences=st.builds(
            Preferences,
            kinds=st.dictionaries(st.sampled_from(list(Kind)), st.booleans()),
            agents=st.dictionaries(st.sampled_from(["a1", "a2"]), st.booleans()),
            muted_contacts=st.lists(st.sampled_from(["c1", "c2"])).map(tuple),
            quiet_hours=st.none() | st.builds(QuietHours, start=st.times(), end=st.times()),
            time_zone=st.sampled_from(
                ["UTC", "Europe/Vienna", "America/New_York", "Nowhere/Land", "", "../etc"]
            ),
            language=st.text(max_size=8),
            digest=st.booleans(),
        ),
    ),
    max_size=4,
    unique_by=lambda one: one.user_id,
)
events = st.builds(
    lambda status, operation, people, has_draft, failure, agent, number: event(
        status,
        operation=operation,
        recipients=tuple(people),
        has_draft=has_draft,
        failure=failure,
        agent_name=agent,
        number=number,
    ),
    statuses,
    st.sampled_from(list(Operation)),
    recipients,
    st.booleans(),
    st.none() | st.text(max_size=300),
    st.none() | st.text(max_size=100),
    st.integers(1, 99),
)


@settings(deadline=None)
@given(st.lists(events, max_size=4), st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))
def test_every_event_is_decided_the_same_way_each_time(batch: list[Event], naive: datetime) -> None:
    now = naive.replace(tzinfo=UTC)
    decisions = decide_all(batch, now)
    assert decisions == decide_all(batch, now)
    for one, decision in zip(batch, decisions, strict=True):
        assert (decision.event_id, decision.task_id) == (one.id, one.task_id)
        assert_sound(one, decision, now)
        assert Decision.model_validate(decision.as_json()) == decision


def assert_sound(given_event: Event, decision: Decision, now: datetime) -> None:
    people = {one.user_id: one for one in given_event.recipients}
    assert decision.dead is not None or list(people) == [one.user_id for one in decision.recipients]
    for one in decision.recipients:
        assert (one.contact_id is None) == (people[one.user_id].contact_name is None)
        if one.notification is not None:
            assert one.status in {Status.DRAFT_READY, Status.COMPLETED, Status.FAILED}
            assert one.notification.title.strip()
            assert one.notification.hold_until is None or now < one.notification.hold_until
