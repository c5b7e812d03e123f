"""Who may do what, for every table and every function: complete by construction.

Each table and function of ours has a row here. One that is added without a row, or whose grants differ from
its row, makes a test fail, under both of Supabase's default privileges.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.database.database import Database, call, make_template
from tests.database.pool import DatabasePool
from tests.database.servers import Server
from tests.database.story import Story, unknown_id

ROLES = ("anon", "authenticated", "service_role")
PRIVILEGES = ("select", "insert", "update", "delete", "truncate")

# The rights of anon, authenticated and service_role, by first letters; T is truncate.
NOBODY = ("", "", "")
SERVICE_READS = ("", "", "s")
READ_BY_OWNER = ("", "s", "s")
OWNER_AND_SERVICE = ("", "siud", "siudT")

TABLES = {
    "public.agent_activity_log": OWNER_AND_SERVICE,
    "public.agent_followup_schedule": OWNER_AND_SERVICE,
    "public.agent_outreach_drafts": OWNER_AND_SERVICE,
    "public.agent_tasks": OWNER_AND_SERVICE,
    "public.agents": OWNER_AND_SERVICE,
    "public.contacts": OWNER_AND_SERVICE,
    "taskbell.application_tables": NOBODY,
    "taskbell.contact_states": READ_BY_OWNER,
    "taskbell.deliveries": SERVICE_READS,
    "taskbell.inboxes": READ_BY_OWNER,
    "taskbell.notifications": SERVICE_READS,
    "taskbell.preferences": SERVICE_READS,
    "taskbell.push_services": SERVICE_READS,
    "taskbell.raised_followups": SERVICE_READS,
    "taskbell.sources": SERVICE_READS,
    "taskbell.subscriptions": SERVICE_READS,
    "taskbell.task_events": SERVICE_READS,
    "taskbell.task_states": READ_BY_OWNER,
    "taskbell.tasks": SERVICE_READS,
    "taskbell.touched": SERVICE_READS,
}

SERVICE = ("service_role",)
USER = ("authenticated",)
BOTH = ("authenticated", "service_role")
INSIDE: tuple[str, ...] = ()

FUNCTIONS = {
    "public.taskbell_apply": SERVICE,
    "public.taskbell_assign": USER,
    "public.taskbell_call_again": SERVICE,
    "public.taskbell_change_preferences": SERVICE,
    "public.taskbell_claim": SERVICE,
    "public.taskbell_contact": USER,
    "public.taskbell_contacts": USER,
    "public.taskbell_dead_letters": SERVICE,
    "public.taskbell_health": SERVICE,
    "public.taskbell_inbox": USER,
    "public.taskbell_preferences": SERVICE,
    "public.taskbell_prune": SERVICE,
    "public.taskbell_receipt": SERVICE,
    "public.taskbell_record": SERVICE,
    "public.taskbell_rename_subscription": SERVICE,
    "public.taskbell_resend": SERVICE,
    "public.taskbell_retry_task": USER,
    "public.taskbell_review_draft": USER,
    "public.taskbell_seen": SERVICE,
    "public.taskbell_settle": SERVICE,
    "public.taskbell_status": SERVICE,
    "public.taskbell_subscribe": SERVICE,
    "public.taskbell_subscriptions": SERVICE,
    "public.taskbell_test": SERVICE,
    "public.taskbell_trace": SERVICE,
    "public.taskbell_unsubscribe": SERVICE,
    "taskbell.badges": INSIDE,
    "taskbell.capture": INSIDE,
    "taskbell.changed_before": INSIDE,
    "taskbell.compared": INSIDE,
    "taskbell.contact_rows": USER,
    "taskbell.contact_tasks": USER,
    "taskbell.deliveries_json": INSIDE,
    "taskbell.describe_contact": BOTH,
    "taskbell.describe_task": INSIDE,
    "taskbell.end_deliveries_of": INSIDE,
    "taskbell.end_unsent": INSIDE,
    "taskbell.event_contexts": INSIDE,
    "taskbell.event_contexts_one_by_one": INSIDE,
    "taskbell.lease_deliveries": INSIDE,
    "taskbell.lease_events": INSIDE,
    "taskbell.left_between": INSIDE,
    "taskbell.lock_due_events": INSIDE,
    "taskbell.lock_inboxes": INSIDE,
    "taskbell.lock_tasks": INSIDE,
    "taskbell.make_notifications": INSIDE,
    "taskbell.merge_patch": INSIDE,
    "taskbell.preferences_json": INSIDE,
    "taskbell.publish_inboxes": INSIDE,
    "taskbell.publish_touched": INSIDE,
    "taskbell.raise_due_followups": INSIDE,
    "taskbell.raise_inboxes": INSIDE,
    "taskbell.recompute_contact_states": INSIDE,
    "taskbell.rows_where": BOTH,
    "taskbell.send_wake_up": INSIDE,
    "taskbell.signed_headers": INSIDE,
    "taskbell.stamp": INSIDE,
    "taskbell.stamp_task": INSIDE,
    "taskbell.store_states": INSIDE,
    "taskbell.subscription_json": INSIDE,
    "taskbell.touch": INSIDE,
    "taskbell.verdicts": INSIDE,
    "taskbell.wake_if_due": INSIDE,
    "taskbell.wake_up": INSIDE,
    "taskbell.watch": INSIDE,
    "taskbell.watch_details": INSIDE,
}


@pytest.fixture(scope="module", params=["new", "old"])
def pool(request: pytest.FixtureRequest, each_postgres_server: Server) -> Iterator[DatabasePool]:
    if request.param == "new":
        yield request.getfixturevalue("database_pool")
        return
    server = each_postgres_server
    with contextlib.closing(DatabasePool(server, make_template(server, "old"))) as pool:
        yield pool


@pytest.fixture
def either(pool: DatabasePool) -> Iterator[Database]:
    """A database under each profile of default privileges."""
    with pool.database() as database:
        yield database


def test_every_table_has_the_rights_of_its_row(either: Database) -> None:
    rights = {
        table: tuple(
            "".join(
                "T" if privilege == "truncate" else privilege[0]
                for privilege in PRIVILEGES
                if either.value("select has_table_privilege(%s, %s, %s)", role, table, privilege)
            )
            for role in ROLES
        )
        for (table,) in either.execute(
            "select format('%s.%s', n.nspname, c.relname) "
            "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname in ('public', 'taskbell') and c.relkind in ('r', 'p', 'v', 'm', 'f')"
        )
    }
    assert TABLES == rights


def test_every_table_has_row_level_security(either: Database) -> None:
    open_tables = either.execute(
        "select oid::regclass::text from pg_class where relkind in ('r', 'p') and not relrowsecurity "
        "and relnamespace in ('public'::regnamespace, 'taskbell'::regnamespace)"
    )
    assert [] == open_tables


def test_every_function_may_be_called_by_those_of_its_row(either: Database) -> None:
    callers = {
        function: tuple(
            role
            for role in ROLES
            if either.value("select has_function_privilege(%s, %s::oid, 'execute')", role, oid)
        )
        for function, oid in either.execute(
            "select format('%s.%s', n.nspname, p.proname), p.oid "
            "from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
            "where n.nspname in ('public', 'taskbell')"
        )
    }
    assert FUNCTIONS == callers


def test_no_function_that_runs_as_its_owner_can_be_called_by_a_user(either: Database) -> None:
    definers = either.execute(
        "select oid::regprocedure::text from pg_proc where prosecdef "
        "and pronamespace in ('public'::regnamespace, 'taskbell'::regnamespace) "
        "and (has_function_privilege('anon', oid, 'execute') "
        "or has_function_privilege('authenticated', oid, 'execute'))"
    )
    assert [] == definers


def test_the_private_schema_is_closed_to_anon_and_grants_nobody_to_create(either: Database) -> None:
    rights = {
        role: [
            privilege
            for privilege in ("usage", "create")
            if either.value("select has_schema_privilege(%s, 'taskbell', %s)", role, privilege)
        ]
        for role in ROLES
    }
    assert {"anon": [], "authenticated": ["usage"], "service_role": ["usage"]} == rights


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_a_refused_call_is_refused_before_it_does_anything(either: Database, role: str) -> None:
    story = Story(either)
    story.new_task("failed")
    for function, params in {
        "taskbell_claim": {},
        "taskbell_seen": {"p_user_id": story.owner, "p_contact_id": story.contact},
        "taskbell_subscriptions": {"p_user_id": story.owner},
    }.items():
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            either.signed_in(role, story.owner) as connection,
        ):
            call(connection, function, **params)
    assert 1 == story.database.value("select count(*) from taskbell.task_events where attempts = 0")


@pytest.fixture
def full(either: Database) -> Story:
    """An owner who has a row in every table."""
    story = Story(either)
    story.subscribe()
    task = story.new_task()
    story.finish(task)
    story.dispatch()
    story.new_agent(user=story.owner)
    for table, column in (("agent_followup_schedule", "scheduled_for"), ("agent_activity_log", "action")):
        either.execute(
            f"insert into public.{table} (user_id, contact_id, {column}) values (%s, %s, 'today')",  # noqa: S608
            *(story.owner, story.contact),
        )
    return story


READABLE = [table for table, rights in TABLES.items() if "s" in rights[1]]
WRITABLE = [table for table, rights in TABLES.items() if "u" in rights[1]]


@pytest.mark.parametrize("table", READABLE)
def test_a_row_is_seen_by_its_owner_alone(full: Story, table: str) -> None:
    count = f"select count(*) from {table} where user_id is not null"  # noqa: S608
    seen = {}
    for name, role, user in (
        ("owner", "authenticated", full.owner),
        ("stranger", "authenticated", full.database.user()),
        ("anonymous", "authenticated", full.database.user()),
        ("nobody", "authenticated", None),
        ("service", "service_role", None),
    ):
        with full.database.signed_in(role, user, anonymous=name == "anonymous") as connection:
            [(seen[name],)] = connection.execute(count.encode()).fetchall()
    assert seen.pop("owner") == seen.pop("service") > 0
    assert {"stranger": 0, "anonymous": 0, "nobody": 0} == seen


@pytest.mark.parametrize("table", WRITABLE)
def test_a_row_is_changed_or_removed_by_its_owner_alone(full: Story, table: str) -> None:
    changed = {}
    people = (("stranger", full.database.user()), ("anonymous", full.database.user()), ("owner", full.owner))
    for name, user in people:
        for verb, query in (
            ("update", f"update {table} set created_at = now() where user_id is not null"),  # noqa: S608
            ("delete", f"delete from {table} where user_id is not null"),  # noqa: S608
        ):
            anonymous = name == "anonymous"
            with full.database.signed_in("authenticated", user, anonymous=anonymous) as connection:
                changed[name, verb] = connection.execute(query.encode()).rowcount > 0
    assert {
        ("stranger", "update"): False,
        ("stranger", "delete"): False,
        ("anonymous", "update"): False,
        ("anonymous", "delete"): False,
        ("owner", "update"): True,
        ("owner", "delete"): True,
    } == changed


@pytest.mark.parametrize("table", WRITABLE)
def test_nobody_writes_a_row_in_anothers_name(full: Story, table: str) -> None:
    some_row = f"select to_jsonb(t) - 'id' from {table} t where user_id = %s limit 1"  # noqa: S608
    row = Jsonb(full.database.value(some_row, full.owner) | {"id": unknown_id()})
    copy = f"insert into {table} select (jsonb_populate_record(null::{table}, %s)).*"
    with full.database.signed_in("authenticated", full.owner) as connection:
        assert 1 == connection.execute(copy.encode(), (row,)).rowcount
        connection.rollback()
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        full.database.signed_in("authenticated", full.database.user()) as connection,
    ):
        connection.execute(copy.encode(), (row,))
