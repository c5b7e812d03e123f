"""A long history: millions of events, notifications and deliveries, all finished long ago.

In: a stage, how many. Out: rows in the tables that grow: a person for each 100, with ten contacts and a task
for each of them. Touches that database and, while it fills, its server's settings: nothing written then
has to survive a power cut.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.bench.pipeline_stage import Stage

EVENTS_A_PERSON, EVENTS_A_TASK = 100, 10
CHUNK = 250_000

_IN_A_HURRY = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "'16GB'",
    "maintenance_work_mem": "'512MB'",
    "max_parallel_maintenance_workers": "0",
}

_IDS = """
select
  n,
  lpad(to_hex((n - 1) / {a_person}), 8, '0') || '-0000-4000-8000-000000000001' as user_id,
  lpad(to_hex((n - 1) / {a_task}), 8, '0') || '-0000-4000-9000-000000000002' as task_id,
  lpad(to_hex((n - 1) / {a_task}), 8, '0') || '-0000-4000-a000-000000000003' as contact_id,
  now() - interval '40 days' + n * interval '0.2 seconds' as at
from generate_series({first}, {last}) n
"""

_PEOPLE = """
insert into auth.users (id) select distinct user_id::uuid from ids on conflict do nothing;
insert into taskbell.inboxes (user_id, version)
select distinct user_id::uuid, 1 from ids on conflict do nothing;
insert into taskbell.subscriptions
  (id, user_id, endpoint, endpoint_hash, origin, p256dh, auth, vapid_public_key)
select distinct user_id::uuid, user_id::uuid, 'https://push.example/' || user_id, user_id,
  'https://push.example', repeat('p', 87), repeat('a', 22), repeat('v', 87)
from ids on conflict do nothing;
insert into taskbell.tasks (task_id, event_id, applied_at)
select task_id, max(n), max(at) from ids group by 1;
insert into taskbell.task_states
  (task_id, user_id, contact_id, status, event_id, reached_event_id, reached_at)
select task_id, user_id::uuid, contact_id, 'completed', max(n), max(n), max(at) from ids group by 1, 2, 3;
insert into taskbell.contact_states (user_id, contact_id, task_id, status, event_id, changed_at)
select user_id::uuid, contact_id, task_id, 'completed', max(n), max(at) from ids group by 1, 2, 3;
"""

_TABLES = {
    "task_events": """
insert into taskbell.task_events (id, task_id, operation, record, occurred_at, state, attempts, finished_at)
overriding system value
select n, task_id, 'UPDATE', jsonb_build_object(
  'id', task_id, 'user_id', user_id, 'status', 'completed', 'agent_id', user_id, 'task_type', 'outreach',
  'input_data', jsonb_build_object('contactId', contact_id, 'instructions', repeat('Write to them. ', 8))
), at, 'done', 1, at from ids;
""",
    "notifications": """
insert into taskbell.notifications
  (id, user_id, event_id, task_id, contact_id, kind, title, url, tag, topic, ttl_seconds, created_at)
overriding system value
select n, user_id::uuid, n, task_id, contact_id, 'completed', 'Your agent finished for Ada Lovelace',
  '/?contact=' || contact_id, left(contact_id, 32), left(contact_id, 32), 86400, at from ids;
""",
    "deliveries": """
insert into taskbell.deliveries (
  notification_id, subscription_id, state, attempts, due_at, expires_at, status_code, accepted_at,
  latency_ms, created_at, finished_at
)
select n, user_id::uuid, 'accepted', 1, at, at + interval '1 day', 201, at, 20, at, at from ids;
""",
}

_SECONDARY = """
select format('%%I.%%I', n.nspname, i.relname), pg_get_indexdef(i.oid), c.conname, t.relname
from pg_index x
join pg_class i on i.oid = x.indexrelid
join pg_class t on t.oid = x.indrelid
join pg_namespace n on n.oid = t.relnamespace
left join pg_constraint c on c.conindid = i.oid and c.contype = 'u'
where n.nspname = 'taskbell' and t.relname = any (%s) and not x.indisprimary
"""


def make_room(stage: Stage) -> None:
    """Let what happens from now on have higher numbers than any history."""
    for table in ("task_events", "notifications"):
        stage.sql(f"alter table taskbell.{table} alter id restart with 1000000000")


def grow(stage: Stage, first: int, last: int, told: Callable[[str], None]) -> float:
    """Add what happened from number `first` to `last`; returns the seconds that took."""
    started = time.monotonic()
    _settings(stage, _IN_A_HURRY)
    secondary = stage.sql(_SECONDARY, list(_TABLES)) if last - first > CHUNK else []
    for index, _, constraint, table in secondary:
        stage.sql(
            f"alter table taskbell.{table} drop constraint {constraint}"
            if constraint
            else f"drop index {index}",
            superuser=True,
        )
    chunks = [(at, min(at + CHUNK, last + 1) - 1) for at in range(first, last + 1, CHUNK)]
    fills = [(fill, *chunk) for fill in (_PEOPLE, *_TABLES.values()) for chunk in chunks]
    with ThreadPoolExecutor(2) as pool:
        for done, _ in enumerate(pool.map(lambda fill: _fill(stage, *fill), fills), 1):
            told(f"{last:,} events: {done / len(fills):.0%} of the rows")
        statements = [_definition(*row) for row in secondary]
        for done, _ in enumerate(pool.map(lambda one: stage.sql(one, superuser=True), statements), 1):
            told(f"{last:,} events: {done} of {len(statements)} indexes")
    told(f"{last:,} events: analysing")
    stage.sql("vacuum analyze", superuser=True)
    _settings(stage, dict.fromkeys(_IN_A_HURRY))
    stage.sql("checkpoint", superuser=True)
    return time.monotonic() - started


def _definition(index: str, definition: str, constraint: str | None, table: str) -> str:
    """Return what makes a secondary index again, as the constraint that it was, if it was one."""
    if constraint is None:
        return definition
    name = index.partition(".")[2]
    return f"{definition}; alter table taskbell.{table} add constraint {constraint} unique using index {name}"


def _fill(stage: Stage, fill: str, first: int, last: int) -> None:
    ids = _IDS.format(first=first, last=last, a_task=EVENTS_A_TASK, a_person=EVENTS_A_PERSON)
    stage.sql(
        "set session_replication_role = replica; set synchronous_commit = off;"
        f"create temp table ids on commit drop as {ids}; {fill}",
        superuser=True,
    )


def _settings(stage: Stage, settings: dict[str, str] | dict[str, None]) -> None:
    for name, value in settings.items():
        stage.sql(
            f"alter system reset {name}" if value is None else f"alter system set {name} = {value}",
            superuser=True,
        )
    stage.sql("select pg_reload_conf()", superuser=True)
