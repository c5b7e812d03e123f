"""A follow-up that falls due rings by the clock alone: no webhook, no change of a task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.functions.bell import SECRET, Bell, message, post


@pytest.fixture
def clocked(bell: Bell) -> Bell:
    """Give a bell whose database knows where to call."""
    for name, secret in (("secret", SECRET), ("url", "https://functions.example/webhook")):
        bell.database.execute("select vault.create_secret(%s, %s)", secret, f"taskbell_webhook_{name}")
    return bell


def schedule(bell: Bell, *, minutes_ago: float = 1, **columns: object) -> str:
    """Plan a follow-up; returns its id."""
    row = {
        "user_id": bell.owner,
        "contact_id": bell.contact,
        "agent_id": bell.agent,
        "scheduled_for": datetime.now(UTC) - timedelta(minutes=minutes_ago),
    }
    followup_id = bell.insert("agent_followup_schedule", **(row | columns))
    call(bell)  # open pages look again; that rings nobody
    return followup_id


def tick(bell: Bell) -> list[dict[str, Any]]:
    """Do what pg_cron does every 15 s, and then what pg_net does; returns the function's answers."""
    command = bell.database.value("select command from cron.job where jobname = 'taskbell'")
    bell.database.execute(command)
    return call(bell)


def call(bell: Bell) -> list[dict[str, Any]]:
    """Make the calls that wait in pg_net's queue; returns the function's answers."""
    calls = bell.database.execute(
        "delete from net.http_request_queue where true returning convert_from(body, 'UTF8'), headers"
    )
    responses = [bell.application.webhook(post(body.encode(), headers)) for body, headers in calls]
    assert {response.status_code for response in responses} <= {200}
    return [response.get_json() for response in responses]


def test_a_followup_that_falls_due_rings_once_with_its_note(clocked: Bell) -> None:
    clocked.browser()
    schedule(clocked, note="Ask about the draft")
    [answer] = tick(clocked)
    assert answer["dispatched"]["accepted"] == 1
    assert tick(clocked) == []
    [push] = clocked.push_service.received
    shown = message(push)["notification"]
    assert (shown["title"], shown["body"]) == ("Follow-up due: Ada Lovelace", "Ask about the draft")
    assert (shown["data"]["kind"], shown["data"]["sticky"]) == ("followup_due", False)
    assert shown["navigate"] == f"https://bell.example/?contact={clocked.contact}"


def test_nothing_is_called_while_nothing_is_due(clocked: Bell) -> None:
    schedule(clocked, minutes_ago=-60)
    schedule(clocked, status="done")
    assert tick(clocked) == []
    assert clocked.database.value("select count(*) from taskbell.task_events") == 0


def test_a_followup_changes_no_badge_and_takes_no_draft_off_the_screen(clocked: Bell) -> None:
    clocked.browser()
    clocked.finish(clocked.new_task(status="in_progress"))
    tick(clocked)
    schedule(clocked)
    tick(clocked)
    draft, followup = clocked.shown()
    assert draft["tag"] != followup["tag"]
    assert clocked.states() == [("draft_ready", True)]
    assert clocked.delivery_states() == ["accepted", "accepted"]


def test_a_followup_that_is_put_off_rings_again_in_the_same_place(clocked: Bell) -> None:
    clocked.browser()
    followup = schedule(clocked, minutes_ago=10)
    tick(clocked)
    clocked.database.execute(
        "update public.agent_followup_schedule set scheduled_for = now() - interval '1 minute' where id = %s",
        followup,
    )
    tick(clocked)
    first, second = clocked.shown()
    assert first["tag"] == second["tag"]
    assert first["data"]["event_id"] < second["data"]["event_id"]


def test_it_speaks_the_owners_language_and_falls_silent_where_it_is_not_wanted(clocked: Bell) -> None:
    clocked.browser()
    clocked.prefer(language="de")
    schedule(clocked)
    tick(clocked)
    clocked.prefer(kinds={"followup_due": False})
    schedule(clocked)
    tick(clocked)
    assert [one["title"] for one in clocked.shown()] == ["Wiedervorlage fällig: Ada Lovelace"]
    assert [one["body"] for one in clocked.shown()] == ["Outreach Agent"]


def test_a_contact_that_is_not_the_owners_lends_no_name(clocked: Bell) -> None:
    clocked.browser()
    schedule(clocked, contact_id=clocked.new_contact("Grace Hopper", user=clocked.database.user()))
    tick(clocked)
    [push] = clocked.push_service.received
    assert message(push)["notification"]["title"] == "A follow-up is due"
    assert b"Grace" not in (push.payload or b"")


def test_a_schedule_that_cannot_be_read_does_not_stop_the_clock(clocked: Bell) -> None:
    clocked.browser()
    clocked.database.execute("drop function taskbell.raise_due_followups")
    clocked.new_task(status="completed")
    clocked.database.execute("delete from net.http_request_queue where true")
    [answer] = tick(clocked)
    assert answer["dispatched"]["accepted"] == 1


def test_what_is_remembered_of_followups_is_forgotten_and_none_rings_again(clocked: Bell) -> None:
    clocked.browser()
    schedule(clocked)
    tick(clocked)
    soon, late = "now() + interval '20 days'", "now() + interval '40 days'"
    prune = "select taskbell_prune(p_now => {}) ->> 'followups'"
    assert [clocked.database.value(prune.format(at)) for at in (soon, late)] == ["0", "1"]
    assert clocked.database.value("select count(*) from taskbell.tasks") == 0
    assert clocked.database.value(f"select taskbell.raise_due_followups({late})") == 0
