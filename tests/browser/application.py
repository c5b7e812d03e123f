"""A customer-relations application and its agents, as far as Taskbell knows them: rows written in plain SQL.

In: what agents do. Out: changed rows.
Touches: the application's tables, through the running stack's database.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from taskbell_local.demo_data import DEMO_USER_ID
from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until


@dataclass(frozen=True)
class Task:
    """A task of an agent, and what becomes of it."""

    id: str
    contact_id: str
    user_id: str
    agent_id: str
    stack: Stack

    def start(self) -> None:
        """Let the agent take it."""
        self.stack.sql("update agent_tasks set status = 'in_progress' where id = %s", self.id)

    def draft(self, subject: str = "Hello") -> None:
        """Let the agent leave a draft; the task goes on."""
        self.stack.sql(
            """insert into agent_outreach_drafts (user_id, contact_id, agent_id, task_id, subject, body)
               values (%s, %s, %s, %s, %s, 'Shall we talk?')""",
            *(self.user_id, self.contact_id, self.agent_id, self.id, subject),
        )

    def draft_status(self) -> str:
        """Return what has been decided about its draft."""
        [(status,)] = self.stack.sql("select status from agent_outreach_drafts where task_id = %s", self.id)
        return str(status)

    def decide(self, status: str) -> None:
        """Let somebody else decide about its draft: approved, sent, rejected."""
        self.stack.sql("update agent_outreach_drafts set status = %s where task_id = %s", status, self.id)

    def status(self) -> str:
        """Return how far it is."""
        [(status,)] = self.stack.sql("select status from agent_tasks where id = %s", self.id)
        return str(status)

    def complete(self) -> None:
        """Let the agent be done."""
        self.stack.sql("update agent_tasks set status = 'completed' where id = %s", self.id)

    def fail(self, reason: str) -> None:
        """Let the agent give up."""
        self.stack.sql(
            "update agent_tasks set status = 'failed', error_message = %s where id = %s", reason, self.id
        )

    def delete(self) -> None:
        """Delete it."""
        self.stack.sql("delete from agent_tasks where id = %s", self.id)

    def run_again(self) -> None:
        """Ask for the same once more."""
        self.stack.sql(
            "update agent_tasks set status = 'pending', error_message = null where id = %s", self.id
        )


class Application:
    """The tables of one user, who is the one that the page signs in."""

    def __init__(self, stack: Stack) -> None:
        self.user_id = DEMO_USER_ID
        self._stack = stack
        self.agent_id = str(uuid.uuid4())
        stack.sql("insert into agents (id, kind, name) values (%s, 'outreach', 'Outreach')", self.agent_id)

    def contact(self, name: str) -> str:
        """Add a contact of the user's and return its id."""
        return self._contact(self.user_id, name)

    def contact_of_somebody_else(self, name: str) -> str:
        """Add a contact that the user must never hear of."""
        stranger = str(uuid.uuid4())
        self._stack.sql(
            "insert into auth.users (id, email) values (%s, %s)", stranger, f"{stranger}@example.org"
        )
        return self._contact(stranger, name)

    def _contact(self, user_id: str, name: str) -> str:
        contact_id = str(uuid.uuid4())
        self._stack.sql(
            "insert into contacts (id, user_id, name) values (%s, %s, %s)", contact_id, user_id, name
        )
        return contact_id

    def another_agent(self, name: str) -> str:
        """Add an agent beside the first and return its id."""
        agent_id = str(uuid.uuid4())
        self._stack.sql("insert into agents (id, kind, name) values (%s, 'followup', %s)", agent_id, name)
        return agent_id

    def task(self, contact_id: str, agent_id: str | None = None) -> Task:
        """Assign the agent, or another one, to a contact; the task is in progress."""
        task = Task(str(uuid.uuid4()), contact_id, self.user_id, agent_id or self.agent_id, self._stack)
        self._stack.sql(
            """insert into agent_tasks (id, user_id, agent_id, status, input_data)
               values (%s, %s, %s, 'pending', %s)""",
            *(task.id, task.user_id, task.agent_id, json.dumps({"contactId": contact_id})),
        )
        task.start()
        return task

    def plan(self, contact_id: str, note: str, *, in_hours: float = 48) -> None:
        """Plan a follow-up."""
        self._stack.sql(
            """insert into agent_followup_schedule (user_id, contact_id, agent_id, scheduled_for, note)
               values (%s, %s, %s, now() + %s * interval '1 hour', %s)""",
            *(self.user_id, contact_id, self.agent_id, in_hours, note),
        )

    def the_clock_looks(self) -> None:
        """Do now what pg_cron does every 15 seconds."""
        self._stack.sql("select taskbell.wake_if_due()")

    def log(self, contact_id: str, action: str) -> None:
        """Note what an agent did."""
        self._stack.sql(
            "insert into agent_activity_log (user_id, contact_id, agent_id, action) values (%s, %s, %s, %s)",
            *(self.user_id, contact_id, self.agent_id, action),
        )

    def unseen(self, contact_id: str) -> bool:
        """Tell whether the database holds something unseen of a contact."""
        found = self._stack.sql(
            "select 1 from taskbell.contact_states where contact_id = %s and unseen", contact_id
        )
        return bool(found)

    def everything_is_seen(self) -> None:
        """Open every contact that has news, in some other browser, once all that happened is known."""
        wait_until(self.nothing_is_due, "all that happened is known")
        self._stack.sql(
            """select taskbell_seen(user_id, contact_id) from taskbell.contact_states
               where user_id = %s and unseen""",
            self.user_id,
        )

    def nothing_is_due(self) -> bool:
        """Tell whether every change so far has been dealt with."""
        return not self._stack.sql("select 1 from taskbell.task_events where state = 'due'")

    def wants_every_notification(self) -> None:
        """Turn digests off."""
        self.prefer(digest=False)

    def prefer(self, **change: object) -> None:
        """Change preferences in some other browser; None is the way back to a default."""
        self._stack.sql("select taskbell_change_preferences(%s, %s)", self.user_id, json.dumps(change))

    def preferences(self) -> dict[str, Any]:
        """Return the preferences that the server holds."""
        [(preferences,)] = self._stack.sql("select taskbell_preferences(%s)", self.user_id)
        return dict(preferences)

    def a_minute_passes(self) -> None:
        """Let what is held back be due, as if the time had come."""
        self._stack.sql("update taskbell.deliveries set due_at = now() where state = 'due'")
        self.the_clock_looks()

    def has_been_calm(self) -> None:
        """Forget what is held back and that there has just been a burst."""
        self._stack.sql("update taskbell.deliveries set state = 'cancelled' where state = 'due'")
        self._stack.sql("update taskbell.notifications set created_at = created_at - interval '2 minutes'")

    def forget_browsers(self) -> None:
        """Take away the subscriptions that other stories left, as if nobody had subscribed yet."""
        self._stack.sql("delete from taskbell.subscriptions where user_id = %s", self.user_id)

    def hears_of_everything(self) -> bool:
        """Tell whether the user has switched no kind of notification off."""
        return all(self.preferences()["kinds"].values())
