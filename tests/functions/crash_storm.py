"""Changes without end while everything dies: worker, whole function, relay, database, at random moments.

In: a stage, a seed, a number of changes. Out: what was written, version by version, and when what died.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from psycopg.types.json import Jsonb

from tests.database.model_fold import Version
from tests.functions.crash_account import Repeat
from tests.functions.crash_stage import Stage
from tests.functions.crash_trap import Point

LONGEST_PAUSE_SECONDS = 0.1
FEW_TASKS = 8
DATABASE_EACH, FUNCTION_EACH = 30, 24  # changes
POINTS = [
    point
    for point in Point
    if not point.name.startswith("RECORD") and point not in (Point.ANY, Point.PUSH_HALF, Point.PUSH_ALL)
]
STATUSES = ["pending", "in_progress", "completed", "completed", "failed"]


@dataclass
class Storm:
    """`versions` is the writer's own record; `outages` are spans of time.monotonic's clock."""

    stage: Stage
    chance: random.Random
    versions: list[Version] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)

    def rage(self, changes: int) -> None:
        """Make so many changes; after each something may die."""
        for number in range(changes):
            self._change()
            time.sleep(self.chance.uniform(0, LONGEST_PAUSE_SECONDS))
            if number % DATABASE_EACH == DATABASE_EACH // 2:
                self._kill_database()
            elif number % FUNCTION_EACH == FUNCTION_EACH // 2:
                self._kill_function()
            else:
                self._kill_something()
        self._kill_worker()

    def unexplained(self, repeats: Sequence[Repeat]) -> list[str]:
        """Those before which nothing died that could have settled the first push, or which look another."""
        deaths = [*self.outages, *((death, death) for death in self.stage.function.deaths)]
        told = []
        for repeat in repeats:
            first, second = repeat.first.arrived_at, repeat.second.arrived_at
            if not repeat.replaces or not any(first <= end and start <= second for start, end in deaths):
                near = [(round(a - first, 3), round(b - first, 3)) for a, b in deaths if -5 < a - first < 40]
                told.append(f"event {repeat.event_id}: again after {second - first:.3f} s; deaths: {near}")
        return told

    def _change(self) -> None:
        chance = self.chance
        tasks = [version for version in self._newest() if not version.gone]
        action = chance.choice(["insert", "update", "update", "update", "delete"]) if tasks else "insert"
        if action == "insert":
            self._insert()
        elif action == "delete" and len(tasks) > FEW_TASKS:
            old = chance.choice(tasks)
            self.stage.sql("delete from public.agent_tasks where id = %s", old.task)
            self._wrote(replace(old, gone=True))
        else:
            self._update(chance.choice(tasks))

    def _insert(self) -> None:
        owner = self.chance.choice(list(self.stage.people))
        contact, status = self.chance.choice(self.stage.people[owner]), self.chance.choice(STATUSES)
        columns = {"user_id": owner, "agent_id": self.stage.agent, "status": status}
        task = self.stage.insert("agent_tasks", **columns, input_data={"contactId": contact})
        self._wrote(Version(0, task, owner, contact, self.stage.agent, status))

    def _update(self, old: Version) -> None:
        moves = self.chance.random() < 0.1
        contact = self.chance.choice(self.stage.people[old.owner]) if moves else old.contact
        new = replace(old, status=self.chance.choice(STATUSES), contact=contact)
        self.stage.sql(
            "update public.agent_tasks set status = %s, input_data = %s where id = %s",
            new.status,
            Jsonb({"contactId": contact}),
            new.task,
        )
        if new != old:
            self._wrote(new)

    def _wrote(self, version: Version) -> None:
        self.versions.append(replace(version, number=len(self.versions) + 1))

    def _newest(self) -> list[Version]:
        return list({version.task: version for version in self.versions}.values())

    def _kill_something(self) -> None:
        number = self.chance.random()
        if number < 0.3:
            self._kill_worker()
        elif number < 0.5:
            deaths = len(self.stage.function.deaths)
            self.stage.trap.arm(self.chance.choice(POINTS), self.stage.function.kill_worker)
            self._change()
            if self.stage.trap.sprung.wait(0.5):
                self._count("worker, at a point", len(self.stage.function.deaths) - deaths)
        elif number < 0.56:
            self.stage.relay.kill()
            self.stage.relay.start()
            self._count("relay")
        elif number < 0.7:
            self.stage.sql("select taskbell.wake_if_due()")

    def _kill_worker(self) -> None:
        """The time of all that it leaves behind passes before there is another: a lease outlives all work."""
        self.stage.trap.disarm()
        with self.stage.function.dead():
            self.stage.let_leases_end()
        self._count("worker, any moment")

    def _kill_function(self) -> None:
        self.stage.trap.disarm()
        self.stage.function.kill()
        self._count("whole function")
        self.stage.let_leases_end()
        self.stage.function.start()

    def _kill_database(self) -> None:
        began = time.monotonic()
        self.stage.postgres.kill()
        time.sleep(self.chance.uniform(0, LONGEST_PAUSE_SECONDS))
        self.stage.postgres.start()
        self.outages.append((began, time.monotonic()))
        self._count("database")

    def _count(self, what: str, kills: int = 1) -> None:
        self.kills[what] = self.kills.get(what, 0) + kills
