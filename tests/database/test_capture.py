"""What the writer's own transaction leaves in the outbox, and that it never suffers for it."""

from __future__ import annotations

import psycopg
import pytest

from tests.database.story import Story


def events(story: Story) -> list[tuple[str, str | None]]:
    """Operation and status of all events, oldest first."""
    return story.database.execute(
        "select operation, record ->> 'status' from taskbell.task_events order by id"
    )


def test_each_change_of_a_task_is_one_event_with_the_row_it_left(story: Story) -> None:
    task = story.new_task()
    story.set_task(task, status="in_progress")
    story.delete_task(task)
    assert [("INSERT", "pending"), ("UPDATE", "in_progress"), ("DELETE", "in_progress")] == events(story)
    ids = story.database.execute("select distinct task_id, record ->> 'id' from taskbell.task_events")
    assert [(task, task)] == ids


def test_an_update_of_ignored_columns_alone_is_no_event(story: Story) -> None:
    task = story.new_task()
    story.set_task(task, status="pending")
    story.set_task(task, output_data={"tokens": 12})
    story.set_task(task, status="pending", started_at="2026-01-01T00:00:00Z")
    assert [("INSERT", "pending")] == events(story)


def test_what_is_rolled_back_leaves_no_event(story: Story) -> None:
    with story.database.connect() as connection:
        with connection.transaction(force_rollback=True):
            connection.execute("insert into public.agent_tasks (user_id) values (%s)", (story.owner,))
        with connection.transaction(), connection.transaction(force_rollback=True):
            connection.execute("insert into public.agent_tasks (user_id) values (%s)", (story.owner,))
    assert [] == events(story)


def test_events_of_one_task_are_numbered_in_the_order_of_their_commits(story: Story) -> None:
    task = story.new_task()
    with story.database.connect(autocommit=False) as first, story.database.connect() as second:
        first.execute("update public.agent_tasks set status = 'in_progress' where id = %s", (task,))
        second.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute("update public.agent_tasks set status = 'failed' where id = %s", (task,))
        first.commit()
        second.execute("update public.agent_tasks set status = 'failed' where id = %s", (task,))
    assert ["pending", "in_progress", "failed"] == [status for _, status in events(story)]


def test_every_role_that_may_write_a_task_is_captured(story: Story) -> None:
    with story.database.signed_in("authenticated", story.owner) as connection:
        connection.execute("insert into public.agent_tasks (user_id) values (%s)", (story.owner,))
    with story.database.signed_in("service_role") as connection:
        connection.execute("insert into public.agent_tasks (user_id) values (%s)", (story.owner,))
    assert 2 == len(events(story))


def test_a_task_id_of_any_length_is_no_trouble_to_the_writer(story: Story) -> None:
    story.database.execute("create table public.jobs (id text, status text)")
    story.database.execute("select taskbell.watch('public', 'jobs', '{}')")
    story.database.execute(
        "insert into public.jobs select string_agg(md5(n::text), '') from generate_series(1, 500) n"
    )
    story.database.execute("insert into public.jobs values (null, 'pending')")
    lengths = story.database.execute("select length(task_id) from taskbell.task_events order by id")
    assert [(200,), (0,)] == lengths


def test_a_table_is_watched_with_the_ignored_columns_of_the_last_call(story: Story) -> None:
    story.database.execute("select taskbell.watch('public', 'agent_tasks', '{status}')")
    task = story.new_task()
    story.set_task(task, status="failed")
    assert [("INSERT", "pending"), ("UPDATE", "failed")] == events(story)  # updated_at is no longer ignored
    story.database.execute(
        "select taskbell.watch('public', 'agent_tasks', '{status, updated_at, completed_at}')"
    )
    story.set_task(task, status="completed")
    assert 2 == len(events(story))
