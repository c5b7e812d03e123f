"""Webhooks made in Supabase's dashboard: unsigned, unnumbered, in any order, and often superfluous."""

from __future__ import annotations

import pytest

from tests.database.story import Row, Story


@pytest.fixture
def uncaptured(story: Story) -> Story:
    """A project that could not have our trigger on its table."""
    story.database.execute("drop trigger taskbell_capture on public.agent_tasks")
    return story


def row(story: Story, status: str, minute: int, **columns: object) -> Row:
    """A task's row as a webhook shows it."""
    return {
        "id": "a-task",
        "user_id": story.owner,
        "agent_id": story.agent,
        "status": status,
        "input_data": {"contactId": story.contact},
        "updated_at": f"2026-01-01T00:{minute:02}:00+00:00",
    } | columns


def record(story: Story, kind: str, new: Row | None, old: Row | None = None, **payload: object) -> Row:
    """What became of one webhook."""
    body = {
        "type": kind,
        "schema": "public",
        "table": "agent_tasks",
        "record": new,
        "old_record": old,
    } | payload
    answer: Row = story.database.rpc("taskbell_record", p_payload=body)
    return answer


def test_where_no_trigger_captures_the_webhook_does(uncaptured: Story) -> None:
    answer = record(uncaptured, "INSERT", row(uncaptured, "failed", 1))
    assert (True, None) == (answer["recorded"], answer["reason"])
    assert 1 == uncaptured.dispatch()["notified"]
    assert [("failed", True)] == uncaptured.states()


def test_the_same_webhook_twice_is_one_event(uncaptured: Story) -> None:
    webhook = ("UPDATE", row(uncaptured, "failed", 2), row(uncaptured, "pending", 1))
    first, second = (record(uncaptured, *webhook) for _ in range(2))
    assert {"recorded": False, "event_id": first["event_id"], "reason": "duplicate"} == second


def test_a_webhook_that_was_overtaken_changes_nothing(uncaptured: Story) -> None:
    record(uncaptured, "UPDATE", row(uncaptured, "failed", 3), row(uncaptured, "in_progress", 2))
    late = record(uncaptured, "UPDATE", row(uncaptured, "in_progress", 2), row(uncaptured, "pending", 1))
    assert (False, "superseded") == (late["recorded"], late["reason"])


def test_nothing_comes_after_a_delete(uncaptured: Story) -> None:
    assert record(uncaptured, "DELETE", None, row(uncaptured, "failed", 3))["recorded"]
    late = record(uncaptured, "UPDATE", row(uncaptured, "failed", 3), row(uncaptured, "in_progress", 2))
    assert "superseded" == late["reason"]


def test_an_update_of_ignored_columns_alone_is_unchanged(uncaptured: Story) -> None:
    new, old = row(uncaptured, "failed", 2, output_data={"a": 1}), row(uncaptured, "failed", 1)
    assert "unchanged" == record(uncaptured, "UPDATE", new, old | {"output_data": None})["reason"]


def test_beside_the_trigger_a_webhook_is_superfluous(story: Story) -> None:
    task = story.new_task("failed")
    event_id = story.database.value("select id from taskbell.task_events")
    answer = record(story, "INSERT", row(story, "failed", 1, id=task))
    assert {"recorded": False, "event_id": event_id, "reason": "captured_by_trigger"} == answer
    assert 1 == story.database.value("select count(*) from taskbell.task_events")


def test_a_trigger_that_is_switched_off_captures_nothing(story: Story) -> None:
    story.database.execute("alter table public.agent_tasks disable trigger taskbell_capture")
    assert record(story, "INSERT", row(story, "failed", 1))["recorded"]


@pytest.mark.parametrize(
    "payload",
    [{"table": "contacts"}, {"schema": "private"}, {"table": None}, {"type": "TRUNCATE"}, {"record": None}],
)
def test_what_is_no_change_of_a_watched_table_is_not_recorded(uncaptured: Story, payload: Row) -> None:
    answer = record(uncaptured, "INSERT", row(uncaptured, "failed", 1), **payload)
    assert {"recorded": False, "event_id": None, "reason": "unknown_table"} == answer
