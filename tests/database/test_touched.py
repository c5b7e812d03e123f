"""Drafts, follow-ups and activity that change elsewhere: open pages look again, nobody is rung or held up."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.database.database import call, sign_in
from tests.database.story import Story, decision, later

TABLES = ("agent_outreach_drafts", "agent_followup_schedule", "agent_activity_log")


@pytest.fixture
def reachable(story: Story) -> Story:
    """A story whose database knows where the function is."""
    secret = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes!!!!").decode()
    story.database.execute("select vault.create_secret(%s, 'taskbell_webhook_secret')", secret)
    story.database.execute("select vault.create_secret('https://f.example/webhook', 'taskbell_webhook_url')")
    return story


def versions(story: Story, *people: str) -> list[int]:
    """The inbox version of each of these people."""
    return [story.inbox(person)["version"] for person in people]


def wake_ups(story: Story) -> list[str]:
    """The ids of the calls that pg_net has been asked for."""
    rows = story.database.execute("select headers ->> 'webhook-id' from net.http_request_queue order by id")
    return [row[0] for row in rows]


def write(story: Story, table: str, **columns: object) -> str:
    """Add a row of the owner's."""
    extra: dict[str, dict[str, object]] = {
        "agent_followup_schedule": {"scheduled_for": later(days=1)},
        "agent_activity_log": {"action": "x"},
    }
    row: dict[str, object] = {"user_id": story.owner, "contact_id": story.contact}
    return story.insert(table, **(row | extra.get(table, {}) | columns))


@pytest.mark.parametrize("table", TABLES)
def test_whatever_is_written_moves_the_version_of_its_owner_and_of_nobody_else(
    story: Story, table: str
) -> None:
    stranger = story.database.user()
    row = write(story, table)
    assert [0, 0] == versions(story, story.owner, stranger)
    story.dispatch()
    assert [1, 0] == versions(story, story.owner, stranger)
    story.database.execute(f"update public.{table} set created_at = now() where id = %s", row)  # noqa: S608
    story.dispatch()
    assert [2, 0] == versions(story, story.owner, stranger)
    story.database.execute(f"delete from public.{table} where id = %s", row)  # noqa: S608
    story.dispatch()
    assert [3, 0] == versions(story, story.owner, stranger)
    story.dispatch()
    assert [3, 0] == versions(story, story.owner, stranger)
    assert 0 == story.database.value("select count(*) from taskbell.touched")


def test_a_draft_that_is_approved_elsewhere_rings_nobody(story: Story) -> None:
    story.subscribe()
    task = story.new_task()
    draft = story.new_draft(task)
    story.dispatch()
    [before] = versions(story, story.owner)
    story.database.rpc_as(story.owner, "taskbell_review_draft", p_draft_id=draft, p_status="approved")
    assert [] == story.dispatch()["deliveries"]
    assert [before + 1] == versions(story, story.owner)
    assert 0 == story.database.value("select count(*) from taskbell.notifications")


def test_a_row_that_changes_hands_moves_both_versions(story: Story) -> None:
    heir = story.database.user()
    row = write(story, "agent_activity_log")
    story.dispatch()
    story.database.execute("update public.agent_activity_log set user_id = %s where id = %s", heir, row)
    story.dispatch()
    assert [2, 1] == versions(story, story.owner, heir)


def test_whoever_waits_is_told_once_a_batch_and_on_the_live_channel(story: Story) -> None:
    for _ in range(3):
        write(story, "agent_activity_log")
    with story.database.connect() as listener:
        listener.execute("listen taskbell_inbox")
        story.claim()
        [notified] = listener.notifies(timeout=20, stop_after=1)
    assert [story.owner] == json.loads(notified.payload)
    sent = story.database.execute("select topic, event, payload from realtime.messages")
    assert [(f"user:{story.owner}", "inbox", {"version": 1})] == sent


def test_a_transaction_sends_one_wake_up_whatever_it_writes(reachable: Story) -> None:
    with reachable.database.connect(autocommit=False) as connection:
        for _ in range(3):
            connection.execute(
                "insert into public.agent_activity_log (user_id, action) values (%s, 'x')", (reachable.owner,)
            )
        connection.execute("insert into public.agent_tasks (user_id) values (%s)", (reachable.owner,))
    assert 1 == len(wake_ups(reachable))
    with reachable.database.connect(autocommit=False) as connection:
        connection.execute("insert into public.agent_tasks (user_id) values (%s)", (reachable.owner,))
        connection.execute("delete from public.agent_activity_log where true")
    assert ["touched", "event"] == [wake_up.split("_")[0] for wake_up in wake_ups(reachable)]


def test_a_statement_that_wrote_nothing_is_nothing(reachable: Story) -> None:
    for table in TABLES:
        reachable.database.execute(f"delete from public.{table} where true")  # noqa: S608
        reachable.database.execute(f"update public.{table} set created_at = now() where true")  # noqa: S608
    assert [] == wake_ups(reachable)


def test_the_clock_finds_what_a_lost_wake_up_left(reachable: Story) -> None:
    write(reachable, "agent_activity_log")
    reachable.database.execute("delete from net.http_request_queue where true")
    assert reachable.database.value("select taskbell.wake_if_due()")
    reachable.claim()
    assert not reachable.database.value("select taskbell.wake_if_due()")


def test_a_held_inbox_holds_up_neither_writers_nor_the_claim_and_is_told_afterwards(story: Story) -> None:
    other = story.database.user()
    for person in (story.owner, other):
        write(story, "agent_activity_log", user_id=person)
    story.claim()
    with story.database.connect(autocommit=False) as holder:
        holder.execute("select taskbell.lock_inboxes(array[%s]::uuid[])", (story.owner,))
        for person in (story.owner, other):
            write(story, "agent_activity_log", user_id=person)
        story.claim()
        assert [1, 2] == versions(story, story.owner, other)
    story.claim()
    assert [2, 2] == versions(story, story.owner, other)


def test_a_claim_that_is_not_finished_holds_up_no_other_and_one_that_fails_loses_nothing(
    story: Story,
) -> None:
    write(story, "agent_activity_log")
    story.claim()
    write(story, "agent_activity_log")
    with story.database.signed_in("service_role") as first:
        call(first, "taskbell_claim")
        write(story, "agent_activity_log")
        story.claim()
        first.rollback()
    assert [1] == versions(story, story.owner)
    story.claim()
    assert [2] == versions(story, story.owner)
    assert 0 == story.database.value("select count(*) from taskbell.touched")


def test_claims_applies_and_writers_of_the_same_people_never_wait_for_each_other_in_a_circle(
    story: Story,
) -> None:
    people = [story.database.user() for _ in range(12)]

    def write_all(_: int) -> None:
        with story.database.connect(autocommit=False) as connection:
            for person in people:
                row = "insert into public.agent_activity_log (user_id, action) values (%s, 'x')"
                connection.execute(row, (person,))
                connection.execute("insert into public.agent_tasks (user_id) values (%s)", (person,))

    def dispatch(_: int) -> None:
        with story.database.signed_in("service_role") as connection:
            claimed = call(connection, "taskbell_claim")
            connection.commit()
            sign_in(connection, "service_role")
            call(connection, "taskbell_apply", p_decisions=[decision(event) for event in claimed["events"]])

    with ThreadPoolExecutor(6) as pool:
        for done in [*pool.map(write_all, range(6)), *pool.map(dispatch, range(6))]:
            assert done is None
        list(pool.map(lambda n: (write_all if n % 2 else dispatch)(n), range(18)))
    while story.claim()["events"]:
        pass
    story.claim()
    assert 0 == story.database.value("select count(*) from taskbell.touched")
    assert all(version > 0 for version in versions(story, *people))


@pytest.mark.parametrize(
    "broken",
    ["drop table taskbell.touched", "drop function taskbell.send_wake_up", "drop schema net cascade"],
)
def test_whatever_is_broken_of_ours_the_writer_writes(reachable: Story, broken: str) -> None:
    with psycopg.connect(reachable.database.superuser_url) as superuser:
        superuser.execute(broken.encode())
    warnings: list[str | None] = []
    with reachable.database.connect() as connection:
        connection.add_notice_handler(lambda notice: warnings.append(notice.severity_nonlocalized))
        row = "insert into public.agent_activity_log (user_id, action) values (%s, 'x')"
        connection.execute(row, (reachable.owner,))
    assert ["WARNING"] == warnings
    assert 1 == reachable.database.value("select count(*) from public.agent_activity_log")


def test_what_belongs_to_nobody_any_more_is_forgotten(story: Story) -> None:
    write(story, "agent_activity_log", user_id=(leaver := story.database.user()))
    story.database.execute("delete from auth.users where id = %s", leaver)
    story.claim()
    assert 0 == story.database.value("select count(*) from taskbell.touched")


def test_a_table_that_names_no_owner_or_is_a_view_is_left_alone_with_a_word(story: Story) -> None:
    notices: list[str] = []
    with story.database.connect() as connection:
        connection.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
        connection.execute("create table public.plain (id int)")
        connection.execute("create view public.seen_through as select * from public.agent_activity_log")
        for table in ("plain", "seen_through", "missing"):
            connection.execute("select taskbell.watch_details(%s)", (table,))
    assert ["plain", "seen_through", "missing"] == [
        notice.split("public.")[1].split()[0] for notice in notices if "look again" in notice
    ]


def test_more_than_one_claim_can_tell_of_calls_for_the_next_at_once(reachable: Story) -> None:
    most = 5000
    many = "insert into taskbell.touched (user_id) select %s from generate_series(1, %s)"
    reachable.database.execute(many, reachable.owner, most + 1)
    left = []
    for _ in range(2):
        reachable.claim()
        left.append((reachable.database.value("select count(*) from taskbell.touched"), wake_ups(reachable)))
    assert [(1, called := [f"touched_after_{most}"]), (0, called)] == left


def test_what_is_due_is_found_by_index_behind_much_that_is_gone(story: Story) -> None:
    story.database.execute(
        "insert into taskbell.touched (user_id) select %s from generate_series(1, 20000)", story.owner
    )
    for _ in range(4):
        story.claim()
    assert [4] == versions(story, story.owner)
    write(story, "agent_activity_log")
    plan = "\n".join(
        row[0]
        for row in story.database.execute(
            "explain select t.id from taskbell.touched t order by t.id limit 5000"
        )
    )
    assert "using touched_pkey" in plan
    assert "Seq Scan" not in plan
