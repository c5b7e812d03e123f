"""The people of the pipeline's measurements: each with a contact, a task under way, a draft, a browser.

In: a stage, a number. Out: rows, past the triggers: no event is captured here. Touches that database.
"""

import hashlib

from psycopg.types.json import Jsonb

from taskbell.push import Vapid
from tests.bench.pipeline_stage import Stage
from tests.stand_ins.push_service_rules import BrowserKeys

# One task each, in progress, about a contact of its owner, with the draft that its agent has written.
_PEOPLE = """
set session_replication_role = replica;
insert into public.agents (id, user_id, kind, name)
values ('00000000-0000-4000-8000-000000000001', null, 'outreach', 'Outreach Agent') on conflict do nothing;
with people as (
  insert into auth.users (id, email)
  select gen_random_uuid(), 'person' || n || '@example.com' from generate_series(1, {count}) n
  returning id
),
contacts as (
  insert into public.contacts (user_id, name, email, company)
  select id, 'Ada Lovelace ' || left(id::text, 8), 'ada@example.com', 'Analytical Engines' from people
  returning id, user_id
),
tasks as (
  insert into public.agent_tasks (user_id, agent_id, task_type, status, input_data, started_at)
  select
    user_id, '00000000-0000-4000-8000-000000000001', 'outreach', 'in_progress',
    jsonb_build_object(
      'contactId', id, 'instructions', repeat('Write to them about the analytical engine. ', 5)
    ),
    now()
  from contacts
  returning id, user_id, agent_id, input_data
)
insert into public.agent_outreach_drafts (user_id, contact_id, agent_id, task_id, subject, body)
select user_id, (input_data ->> 'contactId')::uuid, agent_id, id, 'The engine', repeat('Dear Ada. ', 40)
from tasks;
"""

_SUBSCRIBE = """
insert into taskbell.subscriptions
  (user_id, endpoint, endpoint_hash, origin, p256dh, auth, vapid_public_key, name)
select x.user_id, x.endpoint, x.hash, x.origin, x.p256dh, x.auth, x.key, 'Firefox on Linux'
from jsonb_to_recordset(%s) as x (
  user_id uuid, endpoint text, hash text, origin text, p256dh text, auth text, key text
)
"""


def add_people(stage: Stage, count: int) -> list[str]:
    """Add people, each with keys of their own, and return their ids."""
    before = {user for (user,) in stage.sql("select id::text from auth.users")}
    stage.sql(_PEOPLE.replace("{count}", str(count)), superuser=True)
    people = [user for (user,) in stage.sql("select id::text from auth.users") if user not in before]
    subscribe(stage, people)
    stage.sql("vacuum analyze", superuser=True)
    return people


def subscribe(stage: Stage, people: list[str]) -> None:
    """Give each of these people one more browser."""
    vapid = Vapid((stage.settings["VAPID_PRIVATE_KEY"],), stage.settings["VAPID_SUBJECT"])
    rows = []
    for user in people:
        keys = BrowserKeys().public_keys()
        # As long as Mozilla's and Google's are.
        endpoint = f"{stage.push_origin}/wpush/v2/{keys['p256dh'] * 2}"
        named = {"user_id": user, "endpoint": endpoint, "origin": stage.push_origin, **keys}
        rows.append({**named, "key": vapid.public_key, "hash": hashlib.sha256(endpoint.encode()).hexdigest()})
    stage.sql(_SUBSCRIBE, Jsonb(rows))
