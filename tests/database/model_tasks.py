"""What agents do to their tasks, each change remembered as the version that it left.

In: choices. Out: rows, and the memory of them. Touches the application's tables, and reads which events each
change made.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from psycopg.types.json import Jsonb

from tests.database.database import Database
from tests.database.model_fold import Version
from tests.database.model_people import Memory

NEW_EVENTS = """
select id, task_id, operation = 'DELETE' from taskbell.task_events where id > %s order by id
"""


@dataclass
class Tasks:
    """Two people with two contacts each, two agents, and any number of tasks."""

    database: Database
    memory: Memory
    people: list[str] = field(default_factory=list)
    contacts: dict[str, list[str]] = field(default_factory=dict)
    agents: list[str] = field(default_factory=list)
    newest_event: int = 0
    words: int = 0

    def __post_init__(self) -> None:
        self.newest_event = self.database.value("select coalesce(max(id), 0) from taskbell.task_events")
        self.people = [self.database.user() for _ in range(2)]
        for person in self.people:
            names = ["Ada Lovelace", "Grace Hopper"]
            self.contacts[person] = [self._insert("contacts", user_id=person, name=name) for name in names]
        self.agents = [self._insert("agents", kind="outreach", name=f"Agent {n}") for n in range(2)]

    @property
    def there(self) -> list[Version]:
        """The tasks that exist, as they are."""
        return [version for version in self.memory.rows.values() if not version.gone]

    @property
    def gone(self) -> list[Version]:
        """The tasks that were deleted, as they were."""
        return [version for version in self.memory.rows.values() if version.gone]

    def add(self, person: int, contact: int, agent: int, status: str) -> None:
        owner = self.people[person]
        named, visible = self._contact(owner, contact)
        columns = {"user_id": owner, "agent_id": self.agents[agent], "status": status}
        task = self._insert("agent_tasks", **columns, input_data={"contactId": named})
        self._wrote(Version(0, task, owner, visible, self.agents[agent], status))

    def set_statuses(self, old: Version, statuses: list[str]) -> None:
        """One after the other, in one transaction."""
        versions = [old]
        with self.database.connect(autocommit=False) as connection:
            for status in statuses:
                connection.execute(
                    "update public.agent_tasks set status = %s where id = %s", (status, old.task)
                )
                if status != versions[-1].status:
                    versions.append(replace(old, status=status))
        self._wrote(*versions[1:])

    def finish_with_a_draft(self, old: Version) -> None:
        contact = self.contacts[old.owner][0]
        self._insert("agent_outreach_drafts", user_id=old.owner, contact_id=contact, task_id=old.task)
        self.memory.drafted.add(old.task)
        self.set_statuses(old, ["completed"])

    def move(self, old: Version, contact: int) -> None:
        """Let the task be about another contact, a stranger's, or none."""
        named, visible = self._contact(old.owner, contact)
        made = self._new_events()
        self.database.execute(
            "update public.agent_tasks set input_data = %s where id = %s",
            Jsonb({"contactId": named}),
            old.task,
        )
        changed = len(self._new_events()) > len(made)
        self._wrote(*[replace(old, contact=visible)] * changed)

    def touch(self, old: Version) -> None:
        """Change what nobody looks at."""
        self.database.execute("update public.agent_tasks set output_data = '{}' where id = %s", old.task)
        self._wrote()

    def reword(self, old: Version) -> None:
        """Change what is an event, and no news."""
        self.words += 1
        self.database.execute(
            "update public.agent_tasks set error_message = %s where id = %s", f"reason {self.words}", old.task
        )
        self._wrote(old)

    def delete(self, old: Version) -> None:
        self.database.execute("delete from public.agent_tasks where id = %s", old.task)
        self.memory.drafted.discard(old.task)
        self._wrote(replace(old, gone=True))

    def bring_back(self, old: Version, status: str) -> None:
        """Insert a row with the id of one that was deleted."""
        columns = {"id": old.task, "user_id": old.owner, "agent_id": old.agent, "status": status}
        self._insert("agent_tasks", **columns, input_data={"contactId": old.contact})
        self._wrote(replace(old, status=status, gone=False))

    def dashboard_webhook(self, version: Version) -> dict[str, Any]:
        """Say what the trigger has written down already; returns the answer."""
        [(record,)] = self.database.execute(
            "select to_jsonb(t) from public.agent_tasks t where id = %s", version.task
        )
        change = {"type": "INSERT", "schema": "public", "table": "agent_tasks", "record": record}
        answer: dict[str, Any] = self.database.rpc("taskbell_record", p_payload=change)
        self._wrote()
        return answer

    def _contact(self, owner: str, number: int) -> tuple[str | None, str | None]:
        """What a task names, and what its owner may see of it: two of their own, a stranger's, none."""
        stranger = next(person for person in self.people if person != owner)
        named = [*self.contacts[owner], self.contacts[stranger][0], None][number]
        return named, named if number < 2 else None

    def _new_events(self) -> list[tuple[int, str, bool]]:
        return [(n, task, gone) for n, task, gone in self.database.execute(NEW_EVENTS, self.newest_event)]

    def _wrote(self, *versions: Version) -> None:
        """Match the events that a change made with the versions that it left: one each, in their order."""
        events = self._new_events()
        assert [(v.task, v.gone) for v in versions] == [(task, gone) for _, task, gone in events]
        for version, (number, _, _) in zip(versions, events, strict=True):
            self.memory.wrote(replace(version, number=number))
            self.newest_event = number

    def _insert(self, table: str, **columns: object) -> str:
        values = [Jsonb(value) if isinstance(value, dict) else value for value in columns.values()]
        marks = ", ".join(["%s"] * len(values))
        query = f"insert into public.{table} ({', '.join(columns)}) values ({marks}) returning id"  # noqa: S608
        return str(self.database.value(query, *values))
