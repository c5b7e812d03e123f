"""The usual way to ring a browser from Supabase, as a peer: a webhook a row, an RPC a row, a session a row.

In: row webhooks, as Supabase's dashboard makes them. Out: a push to each of the owner's browsers, through
`pywebpush.webpush()` as in its README. Touches the database and the network. Served by the Functions
Framework like ours: a thread a request, connections to the database kept.
"""

import json
import os
from functools import cache
from typing import Any

import psycopg
from flask import Request
from psycopg_pool import ConnectionPool
from pywebpush import WebPushException, webpush

# What the database is given for it: one webhook for each row that was completed, one RPC for each webhook.
SET_UP = """
drop trigger if exists taskbell_capture on public.agent_tasks;
drop trigger if exists taskbell_wake_up on public.agent_tasks;
create table public.usual_log (at timestamptz default now(), endpoint text, status int);
create function public.usual_subscriptions(p_user_id uuid, p_contact_id uuid)
returns jsonb language sql stable as $$
  select jsonb_build_object(
    'contact', (select c.name from public.contacts c where c.id = p_contact_id),
    'subscriptions', (
      select jsonb_agg(
        jsonb_build_object(
          'endpoint', s.endpoint, 'keys', jsonb_build_object('p256dh', s.p256dh, 'auth', s.auth)
        )
      )
      from taskbell.subscriptions s where s.user_id = p_user_id
    )
  )
$$;
create function public.usual_webhook() returns trigger language plpgsql as $$
begin
  perform net.http_post(
    url := tg_argv[0],
    body := jsonb_build_object(
      'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema,
      'record', to_jsonb(new), 'old_record', to_jsonb(old)
    ),
    timeout_milliseconds := 5000
  );
  return null;
end
$$;
create trigger usual_webhook after update on public.agent_tasks
for each row when (new.status = 'completed') execute function public.usual_webhook('{url}');
"""


def webhook(request: Request) -> str:
    """Push to every browser of the row's owner."""
    record = request.get_json(silent=True)
    if not record:
        return "alive"
    row = record["record"]
    contact_id = row["input_data"]["contactId"]
    with _pool().connection() as connection:
        found: Any = connection.execute(
            "select public.usual_subscriptions(%s, %s)", [row["user_id"], contact_id]
        ).fetchone()
    payload = {
        "title": f"Draft ready for {found[0]['contact']}",
        "body": "Outreach Agent",
        "url": f"{os.environ['PUBLIC_URL']}/?contact={contact_id}",
        "task_id": row["id"],
    }
    for subscription in found[0]["subscriptions"] or []:
        _push(subscription, json.dumps(payload))
    return "sent"


def _push(subscription: dict[str, Any], payload: str) -> None:
    try:
        answer = webpush(
            subscription,
            payload,
            vapid_private_key=os.environ["VAPID_PRIVATE_KEY"],
            vapid_claims={"sub": os.environ["VAPID_SUBJECT"]},
            ttl=86_400,
            timeout=10,
        )
        status = answer.status_code
    except WebPushException as error:
        status = error.response.status_code if error.response is not None else 0
    with _pool().connection() as connection:
        connection.execute(
            "insert into public.usual_log (endpoint, status) values (%s, %s)",
            [subscription["endpoint"], status],
        )


@cache
def _pool() -> "ConnectionPool[psycopg.Connection[Any]]":
    return ConnectionPool(os.environ["DATABASE_URL"], min_size=1, max_size=10, open=True)
