"""What pg_cron does every 15 minutes keeps tables small: a month is kept, a batch goes at a time."""

from __future__ import annotations

from tests.database.story import Story

OLD, BATCH = 12_000, 5_000


def fill(story: Story, count: int, age: str) -> None:
    """Let so many tasks have finished so long ago, each told to the owner's browser."""
    story.database.execute(
        """
        with events as (
          insert into taskbell.task_events
            (task_id, operation, record, occurred_at, state, reason, finished_at)
          select
            gen_random_uuid()::text, 'UPDATE', '{"status": "completed"}', now() - %s::interval,
            case when n %% 100 = 0 then 'dead' else 'done' end, null, now() - %s::interval
          from generate_series(1, %s) n
          returning id, task_id, occurred_at
        ),
        told as (
          insert into taskbell.notifications
            (user_id, event_id, task_id, kind, title, url, tag, topic, ttl_seconds, created_at)
          select %s, id, task_id, 'completed', 'Finished', '/', task_id, 'x', 86400, occurred_at from events
          returning id, created_at
        )
        insert into taskbell.deliveries
          (notification_id, subscription_id, state, due_at, expires_at, created_at, finished_at)
        select told.id, s.id, 'accepted', told.created_at, told.created_at, told.created_at, told.created_at
        from told, taskbell.subscriptions s
        """,
        *(age, age, count, story.owner),
    )


def sizes(story: Story) -> tuple[int, ...]:
    return tuple(
        story.database.value(f"select count(*) from taskbell.{table}")  # noqa: S608
        for table in ("task_events", "notifications", "deliveries")
    )


def test_the_schedule_removes_what_is_older_than_a_month_a_batch_at_a_time(story: Story) -> None:
    story.subscribe()
    story.new_task("failed", input_data={})
    story.dispatch()  # makes the inbox; its delivery stays due
    story.database.execute("analyze")  # the planner believes the tables empty from here on
    fill(story, OLD, "31 days")
    fill(story, 50, "29 days")
    [(command, schedule)] = story.database.execute(
        "select command, schedule from cron.job where jobname = 'taskbell-prune'"
    )
    assert "*/15 * * * *" == schedule
    seen = [sizes(story)]
    for _ in range(4):
        story.database.execute(command)
        seen.append(sizes(story))
    kept = 50 + 1
    expected = [kept + max(0, OLD - runs * BATCH) for runs in range(5)]
    assert [(size,) * 3 for size in expected] == seen
