"""The people, rows and steps that the database's stories are made of.

`dispatch` does what the function does between two calls of the database, as plainly as it can be said: claim,
decide by the status alone, apply. The function's own rules (preferences, quiet hours, digests) have their own
tests.
"""

from __future__ import annotations

import hashlib
import itertools
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from tests.database.database import Database

Row = dict[str, Any]
RINGS = {"draft_ready": "Draft ready", "completed": "Finished", "failed": "Failed"}
SHOWN_OF_A_BROWSER = {
    "id",
    "name",
    "endpoint_hash",
    "vapid_public_key",
    "created_at",
    "seen_at",
    "last_accepted_at",
    "last_shown_at",
    "verified_at",
    "retired_at",
    "retired_reason",
}
"""What people are told of a browser of theirs: neither its endpoint nor its keys."""


def later(**delta: float) -> datetime:
    """A time after all that the test wrote so far."""
    return datetime.now(UTC) + timedelta(**delta)


@dataclass
class Story:
    """One owner with one contact and one agent, and whatever else a story brings in."""

    database: Database
    owner: str = ""
    contact: str = ""
    agent: str = ""
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.owner = self.database.user()
        self.contact = self.new_contact()
        self.agent = self.new_agent()

    # What is in the application's tables.

    def new_contact(self, name: str = "Ada Lovelace", user: str | None = None) -> str:
        return self.insert("contacts", user_id=user or self.owner, name=name)

    def new_agent(self, name: str = "Outreach Agent", user: str | None = None) -> str:
        return self.insert("agents", user_id=user, kind="outreach", name=name)

    def new_task(self, status: str = "pending", **columns: object) -> str:
        row = {
            "user_id": self.owner,
            "agent_id": self.agent,
            "status": status,
            "input_data": {"contactId": self.contact},
        }
        return self.insert("agent_tasks", **(row | columns))

    def new_draft(self, task: str, **columns: object) -> str:
        row = {"user_id": self.owner, "contact_id": self.contact, "agent_id": self.agent, "task_id": task}
        return self.insert("agent_outreach_drafts", **(row | columns))

    def set_task(self, task: str, **columns: object) -> None:
        assignments = ", ".join(f"{name} = %s" for name in columns)
        values = [Jsonb(value) if isinstance(value, dict) else value for value in columns.values()]
        self.database.execute(f"update public.agent_tasks set {assignments} where id = %s", *values, task)  # noqa: S608

    def finish(self, task: str) -> None:
        """What an agent that succeeds does: write a draft, and be done."""
        self.new_draft(task)
        self.set_task(task, status="completed")

    def delete_task(self, task: str) -> None:
        self.database.execute("delete from public.agent_tasks where id = %s", task)

    def insert(self, table: str, **columns: object) -> str:
        """Add a row to one of the application's tables; returns its id."""
        values = [Jsonb(value) if isinstance(value, dict | list) else value for value in columns.values()]
        marks = ", ".join(["%s"] * len(values))
        query = f"insert into public.{table} ({', '.join(columns)}) values ({marks}) returning id"  # noqa: S608
        return str(self.database.value(query, *values))

    # What the function asks of the database.

    def subscribe(self, user: str | None = None, origin: str = "https://push.example") -> str:
        """A new browser; returns the subscription's id."""
        browser = {
            "endpoint": f"{origin}/{next(self.numbers)}",
            "origin": origin,
            "p256dh": "a-public-key",
            "auth": "a-secret",
            "vapid_public_key": "ours",
            "name": "Firefox on Linux",
        }
        return str(
            self.database.rpc("taskbell_subscribe", p_user_id=user or self.owner, p_subscription=browser)[
                "id"
            ]
        )

    def claim(self, **params: object) -> Row:
        claimed: Row = self.database.rpc("taskbell_claim", **params)
        return claimed

    def apply(self, decisions: list[Row], **params: object) -> Row:
        applied: Row = self.database.rpc("taskbell_apply", p_decisions=decisions, **params)
        return applied

    def dispatch(self, *, limit: int = 100, **params: object) -> Row:
        """Claim, decide and apply one batch; returns what apply answered."""
        claimed = self.claim(p_limit=limit, **params)
        return self.apply([decision(event) for event in claimed["events"]], **params)

    def settle(self, deliveries: list[Row], outcome: str, **fields: object) -> Row:
        """Give all of these deliveries one outcome."""
        now = fields.pop("p_now", None)
        outcomes = [
            {
                "delivery_id": delivery["id"],
                "lease": delivery["lease"],
                "outcome": outcome,
                "status_code": None,
                "reason": None,
                "retry_after_seconds": None,
                "origin": delivery["subscription"]["origin"],
            }
            | fields
            for delivery in deliveries
        ]
        clock = {} if now is None else {"p_now": now}
        settled: Row = self.database.rpc("taskbell_settle", p_outcomes=outcomes, **clock)
        return settled

    # What can be seen of it.

    def inbox(self, user: str | None = None) -> Row:
        inbox: Row = self.database.rpc_as(user or self.owner, "taskbell_inbox")
        return inbox

    def states(self, user: str | None = None) -> list[tuple[str, bool]]:
        """Status and unseen of each of a person's contact states, newest first."""
        return [(state["status"], state["unseen"]) for state in self.inbox(user)["states"]]

    def event_reasons(self, task: str) -> list[tuple[str, str | None]]:
        """State and reason of each event of a task, oldest first."""
        return [
            (event["state"], event["reason"])
            for event in self.database.rpc("taskbell_trace", p_task_id=task)["events"]
        ]

    def delivery_states(self) -> list[str]:
        """The state of every delivery, oldest first."""
        return [
            state for (state,) in self.database.execute("select state from taskbell.deliveries order by id")
        ]


def decision(event: Row, **notification: object) -> Row:
    """Ring for every status that ends a task, for every recipient."""
    return {
        "event_id": event["id"],
        "task_id": event["task_id"],
        "operation": event["operation"],
        "occurred_at": event["occurred_at"],
        "dead": None,
        "recipients": [_for_recipient(event, person, notification) for person in event["recipients"]],
    }


def _for_recipient(event: Row, person: Row, notification: Row) -> Row:
    task = event["task"]
    status = None if event["operation"] == "DELETE" else task["status"]
    if status == "completed" and task["has_draft"]:
        status = "draft_ready"
    contact_id = None if person["contact_name"] is None else task["contact_id"]
    key = f"{person['user_id']}|{contact_id or 'task:' + event['task_id']}|{task['agent_id']}"
    tag = hashlib.sha256(key.encode()).hexdigest()[:32]
    rings = None
    if status in RINGS:
        rings = {
            "kind": status,
            "title": " ".join(filter(None, [RINGS[status], person["contact_name"]])),
            "body": task["failure"] or "",
            "lang": "en",
            "url": f"/?contact={contact_id}",
            "tag": tag,
            "topic": tag,
            "urgency": "normal",
            "ttl_seconds": 86_400,
            "sticky": status == "failed",
            "contact_name": person["contact_name"],
            "agent_name": task["agent_name"],
            "hold_until": None,
        } | notification
    return {
        "user_id": person["user_id"],
        "contact_id": contact_id,
        "agent_id": task["agent_id"],
        "agent_name": task["agent_name"],
        "status": status,
        "reason": task["failure"],
        "notification": rings,
    }


def outcome_of(delivery: Row, outcome: str) -> Row:
    """A push service's answer to one attempt, as settle takes it."""
    return {
        "delivery_id": delivery["id"],
        "lease": delivery["lease"],
        "outcome": outcome,
        "origin": delivery["subscription"]["origin"],
    }


def unknown_id() -> str:
    """An id that nothing has."""
    return str(uuid.uuid4())
