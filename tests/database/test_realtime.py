"""The live channel and Postgres Changes: offered where they can be had, missed by nobody elsewhere."""

from __future__ import annotations

import json

import psycopg

from taskbell_local.migrate import MIGRATIONS
from tests.database.database import Database
from tests.database.story import Story

PUBLISHED = "select tablename from pg_publication_tables where pubname = 'supabase_realtime' order by 1"


def published(database: Database) -> list[str]:
    """The tables whose changes Realtime tells."""
    return [table for (table,) in database.execute(PUBLISHED)]


def run_again(database: Database, kind: str) -> list[str]:
    """Run one migration once more; returns what it had to say."""
    notices: list[str] = []
    [file] = MIGRATIONS.glob(f"*_{kind}.sql")
    with database.connect() as connection:
        connection.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
        connection.execute(file.read_bytes())
    return notices


TABLES = ["agent_activity_log", "agent_followup_schedule", "agent_outreach_drafts", "agent_tasks"]


def test_each_table_is_published_once_however_often_it_is_asked_for(database: Database) -> None:
    assert TABLES == published(database)
    run_again(database, "publication")
    assert TABLES == published(database)


def test_what_a_dashboard_switched_off_is_switched_on_and_what_is_more_stays(database: Database) -> None:
    database.execute("alter publication supabase_realtime drop table agent_tasks, agent_activity_log")
    database.execute("alter publication supabase_realtime add table contacts")
    run_again(database, "publication")
    assert sorted([*TABLES, "contacts"]) == published(database)


def test_a_table_that_is_not_ours_to_publish_is_named_and_holds_up_no_other(database: Database) -> None:
    with psycopg.connect(database.superuser_url, autocommit=True) as superuser:
        superuser.execute("alter publication supabase_realtime drop table agent_tasks, agent_activity_log")
        superuser.execute("alter table public.agent_tasks owner to supabase_admin")
    [notice] = run_again(database, "publication")
    assert "public.agent_tasks is not published" in notice
    assert "dashboard" in notice
    assert TABLES[:3] == published(database)


def test_a_publication_that_is_somebody_elses_is_left_with_a_word_for_each_table(database: Database) -> None:
    with psycopg.connect(database.superuser_url, autocommit=True) as superuser:
        superuser.execute("drop publication supabase_realtime")
        superuser.execute("create publication supabase_realtime")
    assert 4 == len(run_again(database, "publication"))


def test_a_publication_of_all_tables_or_none_at_all_is_left_as_it_is(database: Database) -> None:
    with psycopg.connect(database.superuser_url, autocommit=True) as superuser:
        superuser.execute("drop publication supabase_realtime")
        assert [] == run_again(database, "publication")
        assert [] == published(database)
        superuser.execute("create publication supabase_realtime for all tables")
        assert [] == run_again(database, "publication")
        assert database.value("select puballtables from pg_publication where pubname = 'supabase_realtime'")


def test_a_change_of_the_inbox_is_sent_to_the_owners_private_topic(story: Story) -> None:
    story.new_task("failed")
    story.dispatch()
    messages = story.database.execute(
        "select topic, event, private, extension, payload from realtime.messages"
    )
    assert [(f"user:{story.owner}", "inbox", True, "broadcast", {"version": 1})] == messages


def test_a_person_listens_to_the_own_topic_and_to_no_other(story: Story) -> None:
    story.new_task("failed")
    story.dispatch()
    heard = {}
    for name, user in (("owner", story.owner), ("stranger", story.database.user())):
        with story.database.signed_in("authenticated", user) as connection:
            connection.execute("select set_config('realtime.topic', %s, true)", (f"user:{story.owner}",))
            heard[name] = len(connection.execute("select from realtime.messages").fetchall())
    assert {"owner": 1, "stranger": 0} == heard


def test_a_project_that_lends_its_messages_to_nobody_polls(database: Database) -> None:
    with psycopg.connect(database.superuser_url, autocommit=True) as superuser:
        superuser.execute("alter table realtime.messages owner to supabase_admin")
        [notice] = run_again(database, "live_channel")
        assert "pages will poll" in notice
        superuser.execute("drop schema realtime cascade")
        [*_, notice] = run_again(database, "live_channel")
        assert "pages will poll" in notice


def test_a_live_channel_that_is_broken_holds_nothing_up(story: Story) -> None:
    with psycopg.connect(story.database.superuser_url, autocommit=True) as superuser:
        superuser.execute("drop schema realtime cascade")
    story.new_task("failed")
    assert 1 == story.dispatch()["notified"]
    assert [("failed", True)] == story.states()


def test_whoever_holds_a_poll_is_notified_once_a_batch(story: Story) -> None:
    people = [story.owner, *(story.database.user() for _ in range(400))]
    for person in people:
        story.new_task("failed", user_id=person, input_data={})
    with story.database.connect() as listener:
        listener.execute("listen taskbell_inbox")
        story.dispatch(limit=500)
        payloads = [notify.payload for notify in listener.notifies(timeout=20, stop_after=3)]
    assert 3 == len(payloads)
    assert all(len(payload.encode()) < 8000 for payload in payloads)
    assert set(people) == {person for payload in payloads for person in json.loads(payload)}
