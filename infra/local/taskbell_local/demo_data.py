"""What the embedded stack shows at its first start: a user, two agents, six contacts, and some work done.

In: a database URL of the role `postgres`. Out: rows of the application's tables, inserted once. What the user
changes or deletes stays as it is.
"""

import json
import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

DEMO_USER_ID = "5a5e0000-0000-4000-8000-000000000001"
DEMO_EMAIL = "demo@example.org"

HANDLED_SECONDS = 15.0
POLL_SECONDS = 0.02

AGENTS = {"outreach": "Outreach", "followup": "Follow-up"}  # kind -> name
CONTACTS = {  # name -> company
    "Ada Lovelace": "Analytical Engines",
    "Grace Hopper": "Compilers & Sons",
    "Katherine Johnson": "Trajectories Inc.",
    "Radia Perlman": "Spanning Trees",
    "Hedy Lamarr": "Frequency Hopping",
    "Barbara Liskov": "Substitutions Ltd.",
}


def agent_id(kind: str) -> str:
    """Return the fixed id of a demo agent."""
    return _id(f"agent/{kind}")


def contact_id(name: str) -> str:
    """Return the fixed id of a demo contact."""
    return _id(f"contact/{name}")


def ensure_user(
    connection: "psycopg.Connection", user_id: str = DEMO_USER_ID, email: str = DEMO_EMAIL
) -> None:
    """Let the user exist."""
    connection.execute(
        "insert into auth.users (id, email) values (%s, %s) on conflict (id) do nothing", [user_id, email]
    )


def ensure_agents(connection: "psycopg.Connection") -> None:
    """Let the two agents exist; they are everyone's."""
    for kind, name in AGENTS.items():
        connection.execute(
            "insert into public.agents (id, kind, name) values (%s, %s, %s) on conflict (id) do nothing",
            [agent_id(kind), kind, name],
        )


def insert_demo(database_url: str, *, contacts: bool) -> bool:
    """Insert the demo user and, where `contacts` and the user never had any, all that is shown at first.

    Returns whether that was now.
    """
    import psycopg

    with psycopg.connect(database_url) as connection:
        ensure_user(connection)
        if not contacts:
            return False
        ensure_agents(connection)
        had = connection.execute(
            """update auth.users set raw_app_meta_data = coalesce(raw_app_meta_data, '{}') || '{"demo": true}'
               where id = %s and raw_app_meta_data -> 'demo' is null returning id""",
            [DEMO_USER_ID],
        ).fetchone()
        if had is not None:
            _insert_contacts(connection)
            _insert_work(connection)
        return had is not None


def let_it_be_long_ago(database_url: str) -> None:
    """Let what was shown at first have rung an hour ago.

    What rings now would else be held back as the rest of a burst, and nothing would be heard of it at first.
    """
    import psycopg

    deadline = time.monotonic() + HANDLED_SECONDS
    with psycopg.connect(database_url, autocommit=True) as connection:
        while connection.execute("select 1 from taskbell.task_events where state = 'due' limit 1").fetchone():
            if time.monotonic() > deadline:
                return
            time.sleep(POLL_SECONDS)
        connection.execute("update taskbell.notifications set created_at = created_at - interval '1 hour'")


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://taskbell.example/demo/{name}"))


def _insert_contacts(connection: "psycopg.Connection") -> None:
    for name, company in CONTACTS.items():
        address = f"{name.split()[0].lower()}@example.org"
        connection.execute(
            """insert into public.contacts (id, user_id, name, email, company) values (%s, %s, %s, %s, %s)
               on conflict (id) do nothing""",
            [contact_id(name), DEMO_USER_ID, name, address, company],
        )


def _insert_work(connection: "psycopg.Connection") -> None:
    """Leave a draft, a failure, a plan and a task that waits, so that each kind of card is to be seen."""
    drafted = _insert_task(connection, "Ada Lovelace", "outreach", "in_progress")
    connection.execute(
        """insert into public.agent_outreach_drafts (user_id, contact_id, agent_id, task_id, subject, body)
           values (%s, %s, %s, %s, %s, %s)""",
        [
            DEMO_USER_ID,
            contact_id("Ada Lovelace"),
            agent_id("outreach"),
            drafted,
            "Your notes on the engine",
            "Dear Ada,\n\nyour note G has stayed with us. Would you have half an hour next week?",
        ],
    )
    connection.execute(
        "update public.agent_tasks set status = 'completed', completed_at = now() where id = %s", [drafted]
    )
    failed = _insert_task(connection, "Hedy Lamarr", "followup", "in_progress")
    connection.execute(
        """update public.agent_tasks set status = 'failed', completed_at = now(),
           error_message = 'No address to write to' where id = %s""",
        [failed],
    )
    _insert_task(connection, "Grace Hopper", "outreach", "pending")
    connection.execute(
        """insert into public.agent_followup_schedule (user_id, contact_id, agent_id, scheduled_for, note)
           values (%s, %s, %s, now() + interval '2 days', %s)""",
        [DEMO_USER_ID, contact_id("Katherine Johnson"), agent_id("followup"), "Ask how the landing went"],
    )
    connection.execute(
        """insert into public.agent_activity_log (user_id, contact_id, agent_id, task_id, action, details)
           values (%s, %s, %s, %s, 'draft_created', '{}')""",
        [DEMO_USER_ID, contact_id("Ada Lovelace"), agent_id("outreach"), drafted],
    )


def _insert_task(connection: "psycopg.Connection", name: str, kind: str, status: str) -> uuid.UUID:
    row = connection.execute(
        """insert into public.agent_tasks (user_id, agent_id, task_type, status, input_data)
           values (%s, %s, %s, %s, %s) returning id""",
        [DEMO_USER_ID, agent_id(kind), kind, status, json.dumps({"contactId": contact_id(name)})],
    ).fetchone()
    assert row is not None  # noqa: S101  # an insert returns its row
    task: uuid.UUID = row[0]
    return task
