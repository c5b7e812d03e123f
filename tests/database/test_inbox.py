"""What the signed-in user sees and asks for."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.database.story import Row, Story, unknown_id


def contact(story: Story, contact_id: str | None = None, user: str | None = None) -> Row | None:
    page: Row | None = story.database.rpc_as(
        user or story.owner, "taskbell_contact", p_contact_id=contact_id or story.contact
    )
    return page


def test_a_person_without_anything_has_an_empty_inbox(story: Story) -> None:
    inbox = story.inbox()
    assert inbox.pop("now") is not None
    assert {"version": 0, "changed": True, "unseen": 0, "states": []} == inbox
    assert {"version": 0, "changed": False} == story.database.rpc_as(
        story.owner, "taskbell_inbox", p_known_version=0
    )


def test_seen_clears_every_agent_of_the_contact_and_cancels_what_was_not_sent(story: Story) -> None:
    story.subscribe()
    story.new_task("failed")
    story.new_task("completed", agent_id=story.new_agent("Follow-up Agent"))
    story.dispatch()
    assert (1, [True, True]) == (story.inbox()["unseen"], [unseen for _, unseen in story.states()])
    seen = story.database.rpc("taskbell_seen", p_user_id=story.owner, p_contact_id=story.contact)
    assert {"version": 2} == seen
    assert (0, [False, False]) == (story.inbox()["unseen"], [unseen for _, unseen in story.states()])
    assert ["cancelled", "cancelled"] == story.delivery_states()
    assert seen == story.database.rpc("taskbell_seen", p_user_id=story.owner, p_contact_id=story.contact)


def test_what_happens_after_it_was_seen_is_unseen_again(story: Story) -> None:
    task = story.new_task("failed")
    story.dispatch()
    story.database.rpc("taskbell_seen", p_user_id=story.owner, p_contact_id=story.contact)
    story.set_task(task, status="completed")
    story.dispatch()
    assert [("completed", True)] == story.states()


def test_what_was_seen_stays_seen_when_a_newer_task_goes_away(story: Story) -> None:
    story.new_task("failed")
    story.dispatch()
    story.database.rpc("taskbell_seen", p_user_id=story.owner, p_contact_id=story.contact)
    newer = story.new_task()
    story.dispatch()
    story.delete_task(newer)
    story.dispatch()
    assert [("failed", False)] == story.states()


def test_seeing_a_contact_of_another_user_changes_nothing_of_theirs(story: Story) -> None:
    stranger = story.database.user()
    story.new_task("failed")
    story.dispatch()
    story.database.rpc("taskbell_seen", p_user_id=stranger, p_contact_id=story.contact)
    assert [("failed", True)] == story.states()


def test_a_contact_that_was_deleted_is_no_longer_shown_nor_counted(story: Story) -> None:
    story.subscribe()
    story.new_task("failed")
    story.dispatch()
    story.database.execute("delete from public.contacts where id = %s", story.contact)
    assert (0, []) == (story.inbox()["unseen"], story.inbox()["states"])
    other = story.new_contact("Grace Hopper")
    story.new_task("failed", input_data={"contactId": other})
    assert [1] == [delivery["app_badge"] for delivery in story.dispatch()["deliveries"]]


def test_contacts_and_agents_are_listed_by_name(story: Story) -> None:
    stranger = story.database.user()
    story.new_contact("Charles Babbage")
    story.new_contact("Secret Person", user=stranger)
    story.new_agent("Secret Agent", user=stranger)
    story.new_agent("Agent of mine", user=story.owner)
    listed = story.database.rpc_as(story.owner, "taskbell_contacts")
    assert ["Ada Lovelace", "Charles Babbage"] == [c["name"] for c in listed["contacts"]]
    assert {"id", "name", "email", "company"} == set(listed["contacts"][0])
    assert ["Agent of mine", "Outreach Agent"] == [a["name"] for a in listed["agents"]]
    assert {"id", "name", "kind"} == set(listed["agents"][0])


def test_a_contact_shows_its_tasks_drafts_followups_and_activity(story: Story) -> None:
    done = story.new_task()
    story.finish(done)
    running = story.new_task("in_progress")
    story.dispatch()
    story.database.execute(
        "insert into public.agent_followup_schedule (user_id, contact_id, scheduled_for, note) "
        "values (%s, %s, now() + interval '1 day', 'ask again')",
        *(story.owner, story.contact),
    )
    story.database.execute(
        "insert into public.agent_activity_log (user_id, contact_id, action) "
        "values (%s, %s, 'wrote a draft')",
        *(story.owner, story.contact),
    )
    page = contact(story)
    assert page is not None
    assert {"id": story.contact, "name": "Ada Lovelace", "email": None, "company": None} == page["contact"]
    assert [(running, "in_progress"), (done, "completed")] == [(t["id"], t["status"]) for t in page["tasks"]]
    assert {
        "id",
        "agent_id",
        "agent_name",
        "task_type",
        "status",
        "error",
        "created_at",
        "started_at",
        "completed_at",
    } == set(page["tasks"][0])
    assert page["tasks"][1]["completed_at"] is not None
    assert [(done, "draft")] == [(d["task_id"], d["status"]) for d in page["drafts"]]
    assert [("scheduled", "ask again")] == [(f["status"], f["note"]) for f in page["followups"]]
    assert ["wrote a draft"] == [a["action"] for a in page["activity"]]


def test_active_tasks_come_first_and_of_the_others_the_ten_newest(story: Story) -> None:
    active = story.new_task("in_progress")
    finished = [story.new_task("failed") for _ in range(12)]
    story.dispatch()
    page = contact(story)
    assert page is not None
    assert [active, *finished[:1:-1]] == [task["id"] for task in page["tasks"]]


@pytest.mark.parametrize("contact_id", ["", "no uuid", pytest.param(unknown_id(), id="unknown")])
def test_a_contact_that_is_not_there_is_null(story: Story, contact_id: str) -> None:
    assert story.database.rpc_as(story.owner, "taskbell_contact", p_contact_id=contact_id) is None


def test_a_contact_of_another_user_is_null(story: Story) -> None:
    assert contact(story, user=story.database.user()) is None


def test_a_task_is_assigned_to_an_agent(story: Story) -> None:
    assigned = story.database.rpc_as(
        story.owner,
        "taskbell_assign",
        p_contact_id=story.contact,
        p_agent_id=story.agent,
        p_instructions="be brief",
    )
    [row] = story.database.execute(
        "select id::text, user_id::text, agent_id::text, task_type, status, input_data "
        "from public.agent_tasks"
    )
    assert (
        *(assigned["task_id"], story.owner, story.agent, "outreach", "pending"),
        {"contactId": story.contact, "instructions": "be brief"},
    ) == row
    story.dispatch()
    assert [("pending", False)] == story.states()


def test_a_task_that_is_named_is_assigned_once_however_often_it_is_asked_for(story: Story) -> None:
    named = {"p_contact_id": story.contact, "p_agent_id": story.agent, "p_task_id": str(uuid.uuid4())}
    answers = [story.database.rpc_as(story.owner, "taskbell_assign", **named) for _ in range(3)]
    assert [{"task_id": named["p_task_id"]}] * 3 == answers
    assert 1 == story.database.value("select count(*) from public.agent_tasks")
    stranger = story.database.user()
    theirs = {"p_contact_id": story.new_contact(user=stranger), "p_agent_id": story.agent}
    assert story.database.rpc_as(stranger, "taskbell_assign", **(named | theirs)) is None
    assert 1 == story.database.value("select count(*) from public.agent_tasks")


def test_nothing_is_assigned_for_a_contact_or_to_an_agent_of_another_user(story: Story) -> None:
    stranger = story.database.user()
    theirs = story.new_contact("Secret Person", user=stranger)
    agent = story.new_agent("Secret Agent", user=stranger)
    for contact_id, agent_id in [
        (theirs, story.agent),
        (story.contact, agent),
        ("x", story.agent),
        (story.contact, "x"),
    ]:
        assert story.database.rpc_as(
            story.owner, "taskbell_assign", p_contact_id=contact_id, p_agent_id=agent_id
        ) is None  # fmt: skip
    assert 0 == story.database.value("select count(*) from public.agent_tasks")


def test_a_draft_is_approved_or_rejected_by_its_owner_until_it_is_sent(story: Story) -> None:
    draft = story.new_draft(story.new_task())

    def review(status: str, user: str = story.owner, draft_id: str = draft) -> object:
        return story.database.rpc_as(user, "taskbell_review_draft", p_draft_id=draft_id, p_status=status)

    assert {"id": draft, "status": "approved"} == review("approved")
    assert {"id": draft, "status": "rejected"} == review("rejected")
    assert [None, None, None] == [
        review("approved", user=story.database.user()),
        review("approved", draft_id=unknown_id()),
        review("approved", draft_id="no uuid"),
    ]
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        review("sent")
    story.database.execute("update public.agent_outreach_drafts set status = 'sent' where true")
    assert review("approved") is None


def test_only_a_failed_task_of_ones_own_is_run_again(story: Story) -> None:
    task = story.new_task("failed", error_message="no address")

    def retry(user: str = story.owner, task_id: str = task) -> object:
        return story.database.rpc_as(user, "taskbell_retry_task", p_task_id=task_id)

    assert [None, None, None] == [
        retry(user=story.database.user()),
        retry(task_id="x"),
        retry(task_id=unknown_id()),
    ]
    for _ in range(2):  # the second time as if the first answer had been lost
        assert {"task_id": task, "status": "pending"} == retry()
    assert [(None, None)] == story.database.execute(
        "select error_message, completed_at from public.agent_tasks"
    )
    story.database.execute("update public.agent_tasks set status = 'completed' where true")
    assert retry() is None
