"""However long the history and whatever the planner believes of it, each look-up reads what it is about.

Every row that a plan has read counts here: an index that is read from end to end is no better than a table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.database.database import Connection, call, sign_in
from tests.database.pool import DatabasePool
from tests.database.story import Row, Story, decision, outcome_of
from tests.database.test_plans import FILL

FINISHED = 5_000
BATCH = 20
# Of any table: the rows of the batch, looked up by each statement that needs them, in some plans twice.
MOST_ROWS = 3 * BATCH
# Much was sent to one person; to others much is still to be sent.
OTHERS = 10
FORMER_TIMES = """
with told as (
  insert into taskbell.notifications
    (user_id, event_id, task_id, contact_id, agent_id, kind, title, url, tag, topic, ttl_seconds, created_at)
  select
    s.user_id, -m, n.task_id, n.contact_id, n.agent_id, n.kind, n.title, n.url, n.tag, n.topic, n.ttl_seconds,
    now() - make_interval(hours => m)
  from taskbell.notifications n, taskbell.subscriptions s, generate_series(1, 1000) m
  returning id, user_id
)
insert into taskbell.deliveries
  (notification_id, subscription_id, state, attempts, due_at, expires_at, accepted_at)
select
  t.id, s.id, case when s.user_id = o.user_id then 'accepted' else 'due' end, 1, now() + interval '1 hour',
  now() + interval '1 day', case when s.user_id = o.user_id then now() end
from told t
join taskbell.subscriptions s using (user_id)
cross join (select user_id from taskbell.notifications limit 1) o;
analyze;
"""
EXPLAIN = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "client_min_messages": "log",
}


class Session:
    """One connection of the service, kept from the time when the tables were empty."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._plans: list[Row] = []
        self._watching = False
        connection.execute("load 'auto_explain'")
        connection.add_notice_handler(lambda notice: self._read(str(notice.message_primary)))

    def call(self, function: str, **params: object) -> Any:
        with self._connection.transaction():
            sign_in(self._connection, "service_role")
            return call(self._connection, function, **params)

    def watch(self) -> None:
        """From now on, keep the plans."""
        for name, value in EXPLAIN.items():
            self._connection.execute("select set_config(%s, %s, false)", (name, value))
        self._plans.clear()
        self._watching = True

    def large_reads(self) -> dict[str, int]:
        """Where too much was read at once since the last time, by table and index."""
        reads = [
            (f"{node['Relation Name']} by {node.get('Index Name', node['Node Type'])}", _rows_read(node))
            for node in self.reads()
        ]
        return {name: read for name, read in reads if read > MOST_ROWS}

    def reads(self) -> list[Row]:
        """The nodes of all plans since the last time that read a table of ours."""
        assert self._plans or not self._watching
        nodes = [node for plan in self._plans for node in _nodes(plan["Plan"])]
        self._plans.clear()
        return [node for node in nodes if "Relation Name" in node and _is_large(node)]

    def _read(self, notice: str) -> None:
        _, found, plan = notice.partition("plan:\n")
        if found:
            self._plans.append(json.loads(plan))


def _nodes(node: Row) -> Iterator[Row]:
    yield node
    for child in node.get("Plans", []):
        yield from _nodes(child)


def _is_large(node: Row) -> bool:
    return node["Relation Name"] not in ("push_services", "preferences", "sources", "agents")


def _rows_read(node: Row) -> int:
    kinds = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(round(node.get(kind, 0) * node["Actual Loops"]) for kind in kinds)


@pytest.fixture
def story(database_pool: DatabasePool) -> Iterator[Story]:
    with database_pool.database() as database:
        yield Story(database)
        database.execute("create table public.too_full_to_be_emptied ()")  # the pool drops what was altered


@pytest.mark.parametrize("analysed", ["empty", "with little in them", "full"])
def test_a_batch_reads_its_own_rows_even_in_a_session_that_began_with_empty_tables(
    story: Story, analysed: str
) -> None:
    with psycopg.connect(story.database.superuser_url, autocommit=True) as superuser:
        # Autovacuum has seen nothing yet: the planner thinks that there is next to nothing.
        superuser.execute("vacuum analyze")
        superuser.execute("alter table taskbell.task_events alter id restart with 1000000")
        session = Session(superuser)
        _whole_way(session, story)
        if analysed == "with little in them":
            superuser.execute("vacuum analyze")
            _whole_way(session, story)
        superuser.execute("delete from taskbell.subscriptions")  # the history brings everybody one
        fill = FILL.replace("{finished}", str(FINISHED))
        with psycopg.connect(story.database.superuser_url, autocommit=True) as other:
            other.execute((fill if analysed == "full" else fill.replace("analyze;", "")).encode())
        _whole_way(session, story)
        session.watch()
        assert {"claim": {}, "apply": {}, "settle": {}} == _whole_way(session, story)


def test_what_one_person_was_told_of_one_contact_in_former_times_is_not_read_again(story: Story) -> None:
    with psycopg.connect(story.database.superuser_url, autocommit=True) as superuser:
        story.subscribe()
        for _ in range(OTHERS):
            story.subscribe(story.database.user())
        task = story.new_task("failed")
        story.settle(story.dispatch()["deliveries"], "accepted")
        superuser.execute(FORMER_TIMES.encode())
        session = Session(superuser)
        session.watch()
        for outcome in ("retry", "gone"):
            story.set_task(task, status="in_progress")
            story.set_task(task, status="failed")
            claimed = session.call("taskbell_claim", p_limit=BATCH)
            applied = session.call("taskbell_apply", p_decisions=[decision(one) for one in claimed["events"]])
            [delivery] = applied["deliveries"]
            session.call("taskbell_settle", p_outcomes=[outcome_of(delivery, outcome)])
            if outcome == "retry":
                session.call("taskbell_seen", p_user_id=story.owner, p_contact_id=story.contact)
        assert {} == session.large_reads()
    assert ["cancelled", "gone"] == story.delivery_states()[-2:]
    assert OTHERS * 1000 == story.delivery_states().count("due")


def test_a_poll_that_finds_nothing_new_is_one_look_up(story: Story) -> None:
    with psycopg.connect(story.database.superuser_url, autocommit=True) as superuser:
        superuser.execute(FILL.replace("{finished}", str(FINISHED)).encode())
        superuser.execute(
            "insert into auth.users (id) select gen_random_uuid() from generate_series(1, 5000);"
            "insert into taskbell.inboxes (user_id) select id from auth.users on conflict do nothing; analyze"
        )
        story.new_task("failed")
        story.dispatch()
        session = Session(superuser)
        session.watch()
        with superuser.transaction():
            sign_in(superuser, "authenticated", story.owner)
            answer = call(superuser, "taskbell_inbox", p_known_version=1)
    assert {"version": 1, "changed": False} == answer
    [read] = session.reads()
    assert ("inboxes", "inboxes_pkey", 1) == (read["Relation Name"], read["Index Name"], _rows_read(read))


def _whole_way(session: Session, story: Story) -> dict[str, dict[str, int]]:
    """Take a batch all the way; returns what was read too much of, by step."""
    for _ in range(BATCH):
        person = story.database.user()
        story.subscribe(person)
        contact = story.new_contact(user=person)
        story.finish(story.new_task(user_id=person, input_data={"contactId": contact}))
    too_much = {}
    claimed = session.call("taskbell_claim", p_limit=2 * BATCH)
    too_much["claim"] = session.large_reads()
    assert 2 * BATCH == len(claimed["events"])
    applied = session.call("taskbell_apply", p_decisions=[decision(one) for one in claimed["events"]])
    too_much["apply"] = session.large_reads()
    assert BATCH == len(applied["deliveries"])
    session.call("taskbell_settle", p_outcomes=[outcome_of(one, "accepted") for one in applied["deliveries"]])
    too_much["settle"] = session.large_reads()
    return too_much
