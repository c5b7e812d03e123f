"""The design's decision table, line by line, and what people's preferences make of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskbell.model import (
    Event,
    Kind,
    Notification,
    Operation,
    Preferences,
    Recipient,
    RecipientDecision,
    Status,
    Task,
    Urgency,
)
from taskbell.notify.decide import NAME_LENGTH, REASON_LENGTH, TTL_SECONDS, decide, decide_all
from taskbell.notify.quiet import BURST

NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
USER = "6f6d3c0e-0000-4000-8000-000000000001"


def event(
    status: str | None = "completed",
    *,
    operation: Operation = Operation.UPDATE,
    recipients: tuple[Recipient, ...] | None = None,
    name: str | None = "Ada Lovelace",
    preferences: dict[str, Any] | None = None,
    recent: int = 0,
    number: int = 7,
    **task: Any,
) -> Event:
    alone = Recipient(
        user_id=USER,
        contact_name=name,
        preferences=Preferences.model_validate(preferences or {}),
        recent_count=recent,
    )
    described = {"contact_id": "c1", "agent_id": "a1", "agent_name": "Outreach Agent", **task}
    return Event(
        id=number,
        task_id="t1",
        operation=operation,
        occurred_at=NOW - timedelta(seconds=1),
        task=Task(status=status, **described),
        recipients=(alone,) if recipients is None else recipients,
    )


def decided(given_event: Event, now: datetime = NOW) -> RecipientDecision:
    [recipient] = decide(given_event, now).recipients
    return recipient


def rung(given_event: Event, now: datetime = NOW) -> Notification:
    notification = decided(given_event, now).notification
    assert notification is not None
    return notification


@pytest.mark.parametrize("operation", [Operation.INSERT, Operation.UPDATE])
@pytest.mark.parametrize("status", ["pending", "in_progress"])
def test_work_that_waits_or_goes_on_is_a_state_and_no_news(operation: Operation, status: str) -> None:
    recipient = decided(event(status, operation=operation))
    assert (recipient.status, recipient.notification) == (status, None)


def test_a_finished_task_with_a_draft_says_so() -> None:
    recipient = decided(event("completed", has_draft=True))
    assert recipient.status is Status.DRAFT_READY
    notification = recipient.notification
    assert notification is not None
    assert (notification.kind, notification.title) == (Kind.DRAFT_READY, "Draft ready for Ada Lovelace")
    assert (notification.body, notification.url) == ("Outreach Agent", "/?contact=c1")
    assert (notification.urgency, notification.ttl_seconds) == (Urgency.NORMAL, TTL_SECONDS)
    assert (notification.sticky, notification.hold_until) == (False, None)


def test_a_finished_task_without_a_draft_names_the_agent() -> None:
    recipient = decided(event("completed"))
    assert recipient.status is Status.COMPLETED
    assert recipient.notification is not None
    assert recipient.notification.title == "Outreach Agent finished for Ada Lovelace"


def test_a_failure_is_urgent_stays_and_says_why() -> None:
    recipient = decided(event("failed", failure="  The mail server\nsaid\tno  "))
    assert (recipient.status, recipient.reason) == (Status.FAILED, "The mail server said no")
    notification = recipient.notification
    assert notification is not None
    assert notification.title == "Outreach Agent failed for Ada Lovelace"
    assert notification.body == "The mail server said no"
    assert (notification.urgency, notification.sticky) == (Urgency.HIGH, True)


@pytest.mark.parametrize("failure", [None, "", " \n "])
def test_a_failure_without_a_reason_says_that(failure: str | None) -> None:
    recipient = decided(event("failed", failure=failure))
    assert recipient.reason is None
    assert recipient.notification is not None
    assert recipient.notification.body == "No reason was given."


def test_a_long_reason_is_cut_short() -> None:
    body = rung(event("failed", failure="x" * 5000)).body
    assert body == "x" * (REASON_LENGTH - 1) + "…"


def test_a_deleted_task_is_gone_whatever_it_was() -> None:
    recipient = decided(event("completed", operation=Operation.DELETE, has_draft=True))
    assert (recipient.status, recipient.notification) == (None, None)


@pytest.mark.parametrize("status", [None, "", "cancelled", "COMPLETED", "draft_ready"])
def test_a_status_that_nobody_knows_is_a_visible_dead_letter(status: str | None) -> None:
    decision = decide(event(status), NOW)
    assert (decision.dead, decision.recipients) == ("unknown_status", ())


def test_a_followup_that_fell_due_is_news_and_no_state() -> None:
    recipient = decided(event("followup_due", failure="Ask again"))
    assert recipient.status is None
    assert recipient.reason is None
    notification = recipient.notification
    assert notification is not None
    assert (notification.kind, notification.title) == (Kind.FOLLOWUP_DUE, "Follow-up due: Ada Lovelace")
    assert (notification.body, notification.url, notification.sticky) == ("Ask again", "/?contact=c1", False)
    assert notification.urgency is Urgency.NORMAL
    assert rung(event("followup_due")).body == "Outreach Agent"
    assert rung(event("followup_due", name=None)).title == "A follow-up is due"
    assert rung(event("followup_due")).tag != rung(event("completed")).tag


@pytest.mark.parametrize(
    "preferences",
    [{"kinds": {"followup_due": False}}, {"agents": {"a1": False}}, {"muted_contacts": ["c1"]}],
)
def test_a_followup_that_is_not_wanted_rings_nobody(preferences: dict[str, Any]) -> None:
    assert decided(event("followup_due", preferences=preferences)).notification is None


def test_a_contact_that_the_recipient_may_not_see_lends_neither_name_nor_id() -> None:
    for given_event in (event(name=None, has_draft=True), event(name=None, has_draft=True, contact_id=None)):
        recipient = decided(given_event)
        assert recipient.contact_id is None
        assert recipient.notification is not None
        assert recipient.notification.title == "Draft ready"
        assert recipient.notification.url == "/"
        assert recipient.notification.contact_name is None
        assert "c1" not in recipient.model_dump_json()


def test_a_contact_without_a_name_still_opens() -> None:
    recipient = decided(event(name="", has_draft=True))
    assert recipient.contact_id == "c1"
    assert recipient.notification is not None
    assert (recipient.notification.title, recipient.notification.url) == ("Draft ready", "/?contact=c1")


def test_one_recipient_sees_the_name_that_another_may_not() -> None:
    both = (Recipient(user_id="u1", contact_name="Ada"), Recipient(user_id="u2", contact_name=None))
    decision = decide(event(has_draft=True, recipients=both), NOW)
    titles = [one.notification and one.notification.title for one in decision.recipients]
    assert titles == ["Draft ready for Ada", "Draft ready"]


def test_a_contact_id_is_escaped_in_the_url() -> None:
    assert rung(event(contact_id="a/b?c&d=é")).url == "/?contact=a%2Fb%3Fc%26d%3D%C3%A9"


@pytest.mark.parametrize("agent_name", [None, "", "  "])
def test_an_agent_without_a_name_is_your_agent(agent_name: str | None) -> None:
    assert rung(event(agent_name=agent_name)).title == "Your agent finished for Ada Lovelace"


def test_names_with_line_breaks_or_of_great_length_become_one_short_line() -> None:
    title = rung(event(name="Ada\n" + "x" * 500, has_draft=True)).title
    assert title == "Draft ready for Ada " + "x" * (NAME_LENGTH - 5) + "…"


def test_a_name_with_braces_is_only_a_name() -> None:
    assert rung(event(name="{agent}{0}", has_draft=True)).title == "Draft ready for {agent}{0}"


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("de", "Entwurf fertig für Ada Lovelace"),
        ("de-AT", "Entwurf fertig für Ada Lovelace"),
        ("DE_ch", "Entwurf fertig für Ada Lovelace"),
        ("tlh", "Draft ready for Ada Lovelace"),
        ("", "Draft ready for Ada Lovelace"),
    ],
)
def test_a_user_is_spoken_to_in_their_language(language: str, title: str) -> None:
    assert rung(event(has_draft=True, preferences={"language": language})).title == title


def test_the_same_task_contact_and_agent_replace_each_other_and_no_other() -> None:
    tag = rung(event("completed")).tag
    assert tag == rung(event("failed")).tag == rung(event("completed", number=8)).topic
    others = {rung(event(contact_id="c2")).tag, rung(event(agent_id="a2")).tag, rung(event(name=None)).tag}
    assert len(others | {tag}) == 4
    assert len(tag) == 32


@pytest.mark.parametrize(
    "preferences",
    [
        {"kinds": {"completed": False}},
        {"agents": {"a1": False}},
        {"muted_contacts": ["c0", "c1"]},
    ],
)
def test_what_a_user_does_not_want_changes_the_badge_and_rings_nobody(preferences: dict[str, Any]) -> None:
    recipient = decided(event("completed", preferences=preferences))
    assert (recipient.status, recipient.notification) == (Status.COMPLETED, None)


@pytest.mark.parametrize(
    "preferences",
    [
        {},
        {"kinds": {"failed": False}},
        {"agents": {"a2": False, "a1": True}},
        {"muted_contacts": ["c2"]},
    ],
)
def test_what_others_do_not_want_is_no_matter(preferences: dict[str, Any]) -> None:
    assert rung(event("completed", preferences=preferences)).hold_until is None


def test_a_muted_contact_that_one_may_not_see_is_not_the_contact() -> None:
    assert rung(event(name=None, preferences={"muted_contacts": ["c1"]})).title == "Outreach Agent finished"


def test_quiet_hours_hold_and_lengthen_the_life_of_what_they_hold() -> None:
    quiet = {"quiet_hours": {"from": "11:00", "until": "13:00"}}
    notification = rung(event("failed", preferences=quiet))
    assert notification.hold_until == datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
    assert notification.ttl_seconds == TTL_SECONDS + 3571


@pytest.mark.parametrize(("recent", "held"), [(0, False), (BURST - 1, False), (BURST, True), (50, True)])
def test_more_than_three_in_a_minute_wait_for_the_minute_to_end(recent: int, held: bool) -> None:
    expected = datetime(2026, 3, 2, 12, 1, tzinfo=UTC) if held else None
    assert rung(event(recent=recent)).hold_until == expected


def test_a_burst_within_one_batch_counts_as_one_over_time() -> None:
    decisions = decide_all([event(contact_id=f"c{n}", number=n) for n in range(6)], NOW)
    held = [
        one.notification is not None and one.notification.hold_until is not None
        for decision in decisions
        for one in decision.recipients
    ]
    assert held == [False] * BURST + [True] * 3


def test_who_wants_no_digests_hears_each() -> None:
    assert rung(event(recent=50, preferences={"digest": False})).hold_until is None
