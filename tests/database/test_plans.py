"""How the look-ups are made when the tables are full of what is finished: by index, all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from tests.database.database import Connection, call, sign_in
from tests.database.pool import DatabasePool
from tests.database.story import Story, decision, later, outcome_of

FINISHED = 20_000  # enough for reading in full to look dear to the planner

# Users, each with a browser, and a finished event, notification, delivery and states for each of many tasks.
FILL = """
set session_replication_role = replica;
insert into auth.users (id) select gen_random_uuid() from generate_series(1, 200);
insert into taskbell.inboxes (user_id) select id from auth.users on conflict do nothing;
insert into taskbell.subscriptions (user_id, endpoint, endpoint_hash, origin, p256dh, auth, vapid_public_key)
select id, 'e' || id, 'h' || id, 'https://push.example', 'p', 'a', 'v' from auth.users;
create temp table work as
select n, gen_random_uuid()::text as task_id, u.id as user_id, s.id as subscription_id
from generate_series(1, {finished}) n
join (select id, row_number() over () as place from auth.users) u on u.place = n % 200 + 1
join taskbell.subscriptions s on s.user_id = u.id;
insert into taskbell.task_events (task_id, operation, record, state, finished_at)
select task_id, 'UPDATE', '{}', 'done', now() from work;
insert into taskbell.tasks (task_id, event_id) select task_id, n from work;
insert into taskbell.task_states
  (task_id, user_id, contact_id, status, event_id, reached_event_id, reached_at)
select task_id, user_id, gen_random_uuid()::text, 'completed', n, n, now() from work;
insert into taskbell.contact_states (user_id, contact_id, task_id, status, event_id, changed_at)
select user_id, contact_id, task_id, status, event_id, now() from taskbell.task_states;
insert into taskbell.notifications (user_id, event_id, task_id, kind, title, url, tag, topic, ttl_seconds)
select user_id, n, task_id, 'completed', 't', '/', task_id, task_id, 60 from work;
insert into taskbell.deliveries (notification_id, subscription_id, state, due_at, expires_at, accepted_at)
select n.id, w.subscription_id, 'accepted', now(), now(), now()
from work w join taskbell.notifications n on n.event_id = w.n;
insert into public.agent_tasks (user_id) select user_id from work;
insert into public.contacts (user_id, name) select user_id, 'c' from work;
insert into public.agent_outreach_drafts (user_id, contact_id, task_id)
select user_id, gen_random_uuid(), gen_random_uuid() from work;
analyze;
"""
LARGE = (
    "task_events|tasks|task_states|contact_states|notifications|deliveries"
    "|agent_tasks|contacts|agent_outreach_drafts"
)


@pytest.fixture(scope="module")
def full(database_pool: DatabasePool) -> Iterator[Story]:
    """A story in a database with much behind it."""
    with database_pool.database() as database:
        with psycopg.connect(database.superuser_url, autocommit=True) as superuser:
            superuser.execute(FILL.replace("{finished}", str(FINISHED)).encode())
        story = Story(database)
        story.subscribe()
        yield story
        database.execute("create table public.too_full_to_be_emptied ()")  # the pool drops what was altered


def read_in_full(story: Story, function: str, *, user: str | None = None, **params: object) -> list[str]:
    """The large tables that a call of the function reads from end to end, told by auto_explain."""
    plans: list[str] = []
    with psycopg.connect(story.database.superuser_url) as connection:
        connection.execute("load 'auto_explain'")
        connection.execute("set auto_explain.log_min_duration = 0")
        connection.execute("set auto_explain.log_nested_statements = on")
        connection.execute("set client_min_messages = log")
        connection.add_notice_handler(lambda notice: plans.append(str(notice.message_primary)))
        sign_in(connection, "authenticated" if user else "service_role", user)
        call_any(connection, function, **params)
    assert plans
    return sorted(set(re.findall(rf"Seq Scan on ({LARGE})\b", "\n".join(plans))))


def call_any(connection: Connection, function: str, **params: object) -> None:
    if function == "wake_if_due":
        connection.execute("reset role")
        connection.execute("select taskbell.wake_if_due()")
    else:
        call(connection, function, **params)


def test_the_work_of_a_batch_reads_no_table_in_full(full: Story) -> None:
    for _ in range(3):
        full.finish(full.new_task())
    assert [] == read_in_full(full, "wake_if_due")
    assert [] == read_in_full(full, "taskbell_claim", p_limit=100, p_lease_seconds=60)
    decisions = [decision(event) for event in full.claim(p_now=later(minutes=2))["events"]]
    assert 6 == len(decisions)
    assert [] == read_in_full(full, "taskbell_apply", p_decisions=decisions)
    deliveries = full.claim(p_now=later(minutes=10))["deliveries"]
    assert 1 == len(deliveries)
    outcomes = [outcome_of(delivery, "accepted") for delivery in deliveries]
    assert [] == read_in_full(full, "taskbell_settle", p_outcomes=outcomes)


def test_what_a_person_asks_for_reads_no_table_in_full(full: Story) -> None:
    full.finish(full.new_task())
    full.dispatch()
    assert [] == read_in_full(full, "taskbell_inbox", user=full.owner)
    assert [] == read_in_full(full, "taskbell_contact", user=full.owner, p_contact_id=full.contact)
    assert [] == read_in_full(full, "taskbell_contacts", user=full.owner)
    assert [] == read_in_full(full, "taskbell_seen", p_user_id=full.owner, p_contact_id=full.contact)
    assert [] == read_in_full(full, "taskbell_receipt", p_delivery_id=1, p_event="shown")


def test_what_an_operator_asks_for_reads_no_table_in_full(full: Story) -> None:
    task = full.database.value("select task_id from taskbell.tasks limit 1")
    assert [] == read_in_full(full, "taskbell_trace", p_task_id=task)
    assert [] == read_in_full(full, "taskbell_dead_letters", p_limit=10)
    assert [] == read_in_full(full, "taskbell_prune")
