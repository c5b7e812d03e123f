"""Claiming: leases, what an event's context holds, and events that cannot be described."""

from __future__ import annotations

import pytest

from tests.database.story import Row, Story, later, unknown_id


def only_recipient(event: Row) -> Row:
    [recipient] = event["recipients"]
    assert isinstance(recipient, dict)
    return recipient


def test_an_event_comes_with_all_that_is_needed_to_decide(story: Story) -> None:
    task = story.new_task("failed", error_message="no address")
    [event] = story.claim()["events"]
    assert (task, "INSERT", 1) == (event["task_id"], event["operation"], event["attempt"])
    changed_at = event["task"].pop("changed_at")
    assert changed_at <= event["occurred_at"]
    assert {
        "status": "failed",
        "contact_id": story.contact,
        "agent_id": story.agent,
        "agent_name": "Outreach Agent",
        "has_draft": False,
        "failure": "no address",
    } == event["task"]
    assert {
        "user_id": story.owner,
        "contact_name": "Ada Lovelace",
        "preferences": {
            "kinds": {"draft_ready": True, "completed": True, "failed": True, "followup_due": True},
            "agents": {},
            "muted_contacts": [],
            "quiet_hours": None,
            "time_zone": "UTC",
            "language": "en",
            "digest": True,
        },
        "recent_count": 0,
        "recent_since": None,
    } == only_recipient(event)


def test_a_draft_makes_a_completed_task_a_draft(story: Story) -> None:
    with_draft, without = story.new_task(), story.new_task("completed")
    story.finish(with_draft)
    drafts = {e["task_id"]: e["task"]["has_draft"] for e in story.claim()["events"]}
    assert {with_draft: True, without: False} == drafts


def test_recent_notifications_of_the_person_are_counted(story: Story) -> None:
    other = story.database.user()
    for owner in (story.owner, story.owner, other):
        story.new_task("failed", user_id=owner)
    story.dispatch()
    story.new_task("failed")
    [event] = story.claim(p_now=later(seconds=30))["events"]
    assert 2 == only_recipient(event)["recent_count"]
    assert only_recipient(event)["recent_since"] is not None
    story.new_task("failed")
    [event] = story.claim(p_now=later(seconds=62), p_lease_seconds=600)["events"]
    assert 0 == only_recipient(event)["recent_count"]


@pytest.mark.parametrize(
    ("input_data", "found"),
    [
        ('{{"contactId": "{}"}}', True),
        ('{{"contact_id": "{}"}}', True),
        ('{{"contactId": {{"id": "{}", "name": "Ada"}}}}', True),
        ('{{"contactId": null, "contact_id": "{}"}}', True),
        ('{{"contactId": 7, "contact_id": {{"id": " {} "}}}}', True),
        ('{{"contactIds": "{}"}}', False),
        ('{{"contactId": ["{}"]}}', False),
        ('{{"contactId": {{"name": "{}"}}}}', False),
        ('{{"contactId": {{"id": ["{}"]}}}}', False),
        ('["{}"]', False),
        ('"{}"', False),
        ("{{}}", False),
        ("null", False),
        ("7", False),
        ('{{"contactId": 7}}', False),
        ('{{"contactId": true}}', False),
        ('{{"contactId": ""}}', False),
    ],
)
def test_the_contact_is_a_string_or_an_object_with_an_id(story: Story, input_data: str, found: bool) -> None:
    story.database.execute(
        "insert into public.agent_tasks (user_id, input_data) values (%s, %s::jsonb)",
        *(story.owner, input_data.format(story.contact)),
    )
    [event] = story.claim()["events"]
    assert (story.contact if found else None) == event["task"]["contact_id"]
    assert ("Ada Lovelace" if found else None) == only_recipient(event)["contact_name"]


def test_a_contact_id_in_capitals_is_the_same_contact(story: Story) -> None:
    story.new_task(input_data={"contactId": story.contact.upper()})
    [event] = story.claim()["events"]
    assert story.contact == event["task"]["contact_id"]


@pytest.mark.parametrize(
    "contact_id",
    ["not a uuid", "x" * 100_000, "'; drop table contacts; --", pytest.param(unknown_id(), id="unknown")],
)
def test_a_contact_that_is_not_there_has_no_name(story: Story, contact_id: str) -> None:
    story.new_task("failed", input_data={"contactId": contact_id})
    [event] = story.claim()["events"]
    assert only_recipient(event)["contact_name"] is None
    assert 1 == story.dispatch(p_now=later(minutes=2))["notified"]
    assert [] == story.states()


def test_a_contact_of_another_user_never_lends_its_name(story: Story) -> None:
    stranger = story.database.user()
    theirs = story.new_contact("Secret Person", user=stranger)
    story.new_task("failed", input_data={"contactId": theirs})
    [event] = story.claim()["events"]
    assert only_recipient(event)["contact_name"] is None
    story.dispatch(p_now=later(minutes=2))
    assert ([], []) == (story.states(), story.states(stranger))


def test_an_agent_of_another_user_never_lends_its_name(story: Story) -> None:
    theirs = story.new_agent("Secret Agent", user=story.database.user())
    story.new_task(agent_id=theirs)
    [event] = story.claim()["events"]
    assert event["task"]["agent_name"] is None


def test_a_nameless_contact_is_still_a_contact(story: Story) -> None:
    nameless = story.new_contact("")
    story.new_task("failed", input_data={"contactId": nameless})
    [event] = story.claim()["events"]
    assert "" == only_recipient(event)["contact_name"]


def test_what_is_claimed_is_leased_and_comes_back_when_the_lease_ends(story: Story) -> None:
    story.new_task()
    assert [1] == [event["attempt"] for event in story.claim(p_lease_seconds=60)["events"]]
    assert [] == story.claim(p_now=later(seconds=50))["events"]
    assert [2] == [event["attempt"] for event in story.claim(p_now=later(seconds=70))["events"]]


def test_a_clock_that_is_slow_claims_new_events_all_the_same(story: Story) -> None:
    story.new_task()
    assert 1 == len(story.claim(p_now=later(hours=-1))["events"])


def test_the_oldest_come_first_and_more_says_that_there_are_others(story: Story) -> None:
    tasks = [story.new_task() for _ in range(3)]
    first = story.claim(p_limit=2)
    assert (tasks[:2], True) == ([event["task_id"] for event in first["events"]], first["more"])
    rest = story.claim(p_limit=2)
    assert (tasks[2:], False) == ([event["task_id"] for event in rest["events"]], rest["more"])


def test_two_dispatchers_never_claim_the_same_event(story: Story) -> None:
    tasks = {story.new_task() for _ in range(4)}
    claim = "select public.taskbell_claim(p_limit => 2)"
    with (
        story.database.connect(autocommit=False) as first,
        story.database.connect(autocommit=False) as second,
    ):
        claimed = [c.execute(claim.encode()).fetchall()[0][0]["events"] for c in (first, second)]
    assert [2, 2] == [len(events) for events in claimed]
    assert tasks == {event["task_id"] for events in claimed for event in events}


def test_an_event_that_was_taken_eight_times_is_a_dead_letter(story: Story) -> None:
    task = story.new_task()
    for attempt in range(1, 9):
        [event] = story.claim(p_now=later(hours=attempt))["events"]
        assert attempt == event["attempt"]
    assert [] == story.claim(p_now=later(hours=9))["events"]
    assert [("dead", "too_many_attempts")] == story.event_reasons(task)


def test_an_event_that_cannot_be_described_is_a_dead_letter_and_the_others_go_on(story: Story) -> None:
    story.database.execute("alter table public.agent_tasks drop constraint agent_tasks_user_id_fkey")
    story.database.execute("alter table public.agent_tasks alter column user_id drop not null")
    story.database.execute('drop policy "own rows" on public.agent_tasks')
    story.database.execute("alter table public.agent_tasks alter column user_id type text")
    bad, good = story.new_task(user_id="nobody"), story.new_task()
    assert [good] == [event["task_id"] for event in story.claim()["events"]]
    assert [("dead", "describe_failed:22P02")] == story.event_reasons(bad)


def test_a_recipient_who_is_no_user_is_left_out(story: Story) -> None:
    story.database.execute("alter table public.agent_tasks drop constraint agent_tasks_user_id_fkey")
    task = story.new_task("failed", user_id=unknown_id())
    story.dispatch()
    assert [("done", "no_recipient")] == story.event_reasons(task)


def test_whoever_is_to_be_rung_does_not_wait_for_thousands_of_open_pages(story: Story) -> None:
    story.database.execute(
        "insert into taskbell.touched (user_id) select gen_random_uuid() from generate_series(1, 1000)"
    )
    story.new_task("completed")
    first = story.claim()
    left = story.database.value("select count(*) from taskbell.touched")
    assert (1, 900, True) == (len(first["events"]), left, first["more"])
    second = story.claim()
    left = story.database.value("select count(*) from taskbell.touched")
    assert ([], 0, False) == (second["events"], left, second["more"])
