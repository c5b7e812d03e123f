"""Follow-ups that fall due become events: once each, and again when they are put off."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.database.story import Row, Story, later


def schedule(story: Story, at: datetime, **columns: object) -> str:
    """Plan a follow-up; returns its id."""
    row = {"user_id": story.owner, "contact_id": story.contact, "agent_id": story.agent, "scheduled_for": at}
    return story.insert("agent_followup_schedule", **(row | columns))


def due(story: Story, now: datetime) -> int:
    """Raise what is due; returns how many that were."""
    raised: int = story.database.value("select taskbell.raise_due_followups(%s)", now)
    return raised


def claimed(story: Story) -> Row:
    [event] = story.claim()["events"]
    assert isinstance(event, dict)
    return event


def test_a_followup_is_raised_when_it_falls_due_and_not_again(story: Story) -> None:
    followup = schedule(story, later(hours=1), note="ask again")
    assert [0, 1, 0] == [due(story, later(hours=hours)) for hours in (0, 2, 2)]
    event = claimed(story)
    assert (f"followup:{followup}", "INSERT") == (event["task_id"], event["operation"])
    assert ("followup_due", story.contact, "Outreach Agent", "ask again") == tuple(
        event["task"][key] for key in ("status", "contact_id", "agent_name", "failure")
    )
    assert ["Ada Lovelace"] == [person["contact_name"] for person in event["recipients"]]


def test_a_followup_that_is_put_off_is_raised_again(story: Story) -> None:
    schedule(story, later(hours=1))
    assert 1 == due(story, later(hours=2))
    story.database.execute(
        "update public.agent_followup_schedule set scheduled_for = %s where true", later(days=1)
    )
    assert [0, 1] == [due(story, later(hours=hours)) for hours in (2, 25)]


def test_what_is_done_cancelled_or_long_past_is_not_raised(story: Story) -> None:
    schedule(story, later(hours=1), status="done")
    schedule(story, later(hours=1), status="cancelled")
    schedule(story, later(days=-8))
    assert 0 == due(story, later(hours=2))


@pytest.mark.parametrize(
    "change", ["status = 'done'", "status = 'cancelled'", "scheduled_for = scheduled_for + interval '1 day'"]
)
def test_a_followup_that_was_seen_to_before_it_could_ring_rings_nobody(story: Story, change: str) -> None:
    story.subscribe()
    stands, seen_to = schedule(story, later(hours=1)), schedule(story, later(hours=1))
    assert 2 == due(story, later(hours=2))
    story.database.execute(
        f"update public.agent_followup_schedule set {change} where id = %s",  # noqa: S608
        seen_to,
    )
    events = {event["task_id"]: event for event in story.claim()["events"]}
    rung = {task: [person["user_id"] for person in event["recipients"]] for task, event in events.items()}
    assert {f"followup:{stands}": [story.owner], f"followup:{seen_to}": []} == rung


def test_many_are_raised_a_batch_at_a_time(story: Story) -> None:
    for minutes in range(5):
        schedule(story, later(minutes=minutes))
    batches = "select taskbell.raise_due_followups(%s, 2)"
    assert [2, 2, 1, 0] == [story.database.value(batches, later(hours=1)) for _ in range(4)]


def test_a_schedule_with_other_columns_is_left_alone(story: Story) -> None:
    story.database.execute("alter table public.agent_followup_schedule rename scheduled_for to at")
    assert 0 == due(story, later())
