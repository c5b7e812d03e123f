"""Tasks that change as an agent would change them, in plain SQL. It touches the application's tables only."""

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskbell_local.database import not_migrated
from taskbell_local.errors import StackError

if TYPE_CHECKING:
    import psycopg

SHOWN_NAMES = 6
OWNERS = """
    select user_id::text, id::text, name from (
      select *, dense_rank() over (order by first_made, user_id) as number from (
        select *, min(created_at) over (partition by user_id) as first_made from public.contacts
      ) as dated
    ) as numbered
    where number <= %(users)s and (%(contact)s::text is null or id::text = %(contact)s
      or starts_with(lower(name), lower(%(contact)s)))
    order by row_number() over (partition by user_id order by created_at, name), number"""


@dataclass(frozen=True)
class Owner:
    """A user and one of their contacts."""

    user_id: str
    contact_id: str
    contact_name: str


@dataclass(frozen=True)
class Agent:
    """An agent that the task is given to."""

    id: str
    name: str


def ensure_owners(connection: "psycopg.Connection", users: int) -> None:
    """Let there be agents and as many users as wanted, the demo's first, each with a contact."""
    from taskbell_local import demo_data

    demo_data.ensure_agents(connection)
    others = [
        (str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://taskbell.example/user/{n}")), f"user{n}@example.org")
        for n in range(2, users + 1)
    ]
    for user_id, email in [(demo_data.DEMO_USER_ID, demo_data.DEMO_EMAIL), *others]:
        demo_data.ensure_user(connection, user_id, email)
        connection.execute(
            """insert into public.contacts (user_id, name) select %s, 'Ada Lovelace'
               where not exists (select from public.contacts where user_id = %s)""",
            [user_id, user_id],
        )


def find_owners(connection: "psycopg.Connection", contact: str | None, users: int) -> list[Owner]:
    """Find contacts by id or beginning of name, else all, of the first `users` users who have any."""
    import psycopg

    def find(name: str | None) -> list[Owner]:
        rows = connection.execute(OWNERS, {"contact": name, "users": users})
        return [Owner(*row) for row in rows]

    try:
        found = find(contact)
        others = find(None) if not found and contact is not None else found
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise not_migrated() from error
    if found:
        return found
    if not others:
        raise StackError("no_contact", "There is no contact yet: insert one into public.contacts.")
    names = ", ".join(dict.fromkeys(owner.contact_name for owner in others[:SHOWN_NAMES]))
    raise StackError(
        "no_contact", f"There is no contact called {contact}: leave --contact out, or name one of {names}."
    )


def find_agent(connection: "psycopg.Connection", kind: str, user_id: str) -> Agent:
    """Find an agent of that kind, the user's own before everyone's."""
    row = connection.execute(
        """select id::text, name from public.agents where kind = %s and (user_id is null or user_id = %s)
           order by user_id nulls last, created_at limit 1""",
        [kind, user_id],
    ).fetchone()
    if row is None:
        raise StackError("no_agent", f"There is no agent of kind {kind}: insert one into public.agents.")
    return Agent(*row)


def change(connection: "psycopg.Connection", owner: Owner, agent: Agent, status: str, *, draft: bool) -> str:
    """Make a task and bring it to the status, one transaction a change; return its id."""
    first = status if status in {"pending", "in_progress"} else "in_progress"
    row = connection.execute(
        """insert into public.agent_tasks (user_id, agent_id, task_type, status, input_data)
           values (%s, %s, 'simulated', %s, %s) returning id::text""",
        [owner.user_id, agent.id, first, json.dumps({"contactId": owner.contact_id})],
    ).fetchone()
    assert row is not None  # noqa: S101  # an insert returns its row
    task: str = row[0]
    if status == "completed" and draft:
        connection.execute(
            """insert into public.agent_outreach_drafts
                 (user_id, contact_id, agent_id, task_id, subject, body)
               values (%s, %s, %s, %s, 'Simulated', 'A draft that nobody wrote.')""",
            [owner.user_id, owner.contact_id, agent.id, task],
        )
    if status != first:
        connection.execute(
            """update public.agent_tasks set status = %s, completed_at = now(), updated_at = now(),
               error_message = case when %s = 'failed' then 'Simulated failure' end where id = %s""",
            [status, status, task],
        )
    return task
