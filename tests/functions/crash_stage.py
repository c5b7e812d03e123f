"""Everything that is needed to crash: a database that can be killed, the function, the relay, people.

In: changes of tasks. Out: pushes, and what the database says became of each event. Touches a temporary
folder, loopback ports and processes of its own.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from taskbell_local.migrate import migrate
from taskbell_local.postgres import EmbeddedPostgres
from taskbell_local.stand_ins import install
from taskbell_local.vault import keep_secrets
from tests.functions.bell import SECRET, VAPID_KEY, WAKE_UP, environment_for, new_browser, signed
from tests.functions.crash_processes import FunctionProcess, RelayProcess
from tests.functions.crash_proxy import PostgresProxy
from tests.functions.crash_push import DeadlyPushService
from tests.functions.crash_trap import Trap
from tests.stand_ins.push_messages import new_vapid
from tests.stand_ins.record import wait_until

Rows = list[tuple[Any, ...]]
PEOPLE = 4
BROWSERS_EACH = 2
LEASE = "31 seconds"
LONGEST_SILENCE_SECONDS = 2.0  # of a function that is at work: between what it asks, and what it sends


@dataclass
class Stage:
    """All of it, running; `people` maps user ids to their contacts."""

    postgres: EmbeddedPostgres
    proxy: PostgresProxy
    push_service: DeadlyPushService
    function: FunctionProcess
    relay: RelayProcess
    trap: Trap
    settings: dict[str, str]
    agent: str = ""
    people: dict[str, list[str]] = field(default_factory=dict)
    browsers: dict[str, list[str]] = field(default_factory=dict)

    def sql(self, query: str, *params: object) -> Rows:
        """Run one statement past the proxy, in a transaction of its own."""
        with self.connect() as connection:
            cursor = connection.execute(query.encode(), params or None)
            return cursor.fetchall() if cursor.description else []

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.postgres.url, options="-c statement_timeout=30s")

    def insert(self, table: str, **columns: object) -> str:
        values = [Jsonb(value) if isinstance(value, dict) else value for value in columns.values()]
        marks = ", ".join(["%s"] * len(values))
        query = f"insert into public.{table} ({', '.join(columns)}) values ({marks}) returning id::text"  # noqa: S608
        [(row_id,)] = self.sql(query, *values)
        return str(row_id)

    def populate(self, public_key: str, contacts_each: int) -> None:
        """Bring in people with contacts and browsers, who want each notification by itself."""
        self.agent = self.insert("agents", kind="outreach", name="Outreach Agent")
        for number in range(PEOPLE):
            [(user,)] = self.sql("insert into auth.users (id) values (gen_random_uuid()) returning id::text")
            contacts = self.sql(
                "insert into public.contacts (user_id, name)"
                " select %s, %s::text || n from generate_series(1, %s) n returning id::text",
                user,
                f"Contact {number}.",
                contacts_each,
            )
            self.people[user] = [contact for (contact,) in contacts]
            preferences = Jsonb({"digest": False})
            self.sql("select public.taskbell_change_preferences(%s, %s)", user, preferences)
            self.browsers[user] = [self._subscribe(user, public_key) for _ in range(BROWSERS_EACH)]

    def _subscribe(self, user: str, public_key: str) -> str:
        browser = new_browser(self.push_service, public_key=public_key)
        self.sql("select public.taskbell_subscribe(%s, %s)", user, Jsonb(browser))
        return str(browser["endpoint"])

    def wake(self) -> int:
        """Send the wake-up past the relay and return the answer's status, 0 if the function died over it."""
        return self.function.post(WAKE_UP, signed(WAKE_UP))

    def let_leases_end(self) -> None:
        """Move all that is due into the past by a lease's length: nobody waits half a minute here."""
        for table, columns in {"task_events": ["due_at"], "deliveries": ["due_at", "expires_at"]}.items():
            moved = ", ".join(f"{column} = {column} - interval '{LEASE}'" for column in columns)
            self.sql(
                f"update taskbell.{table} set {moved} where state = 'due' and due_at > '1970-01-02'"  # noqa: S608
            )

    def unfinished(self) -> int:
        """How many events and deliveries are still due, now or later."""
        [(count,)] = self.sql(
            "select (select count(*) from taskbell.task_events where state = 'due')"
            " + (select count(*) from taskbell.deliveries where state = 'due')"
        )
        return int(count)

    def wait_until_silent(self) -> None:
        """Wait until nobody is at work in the function, not even for a relay that was killed or gave up."""

        def silent() -> bool:
            pushes = self.push_service.received
            heard_at = max(self.proxy.heard_at, pushes[-1].arrived_at if pushes else 0)
            return time.monotonic() - heard_at > LONGEST_SILENCE_SECONDS

        wait_until(silent, "the function is at rest")

    def sweep_until_done(self) -> None:
        """Let time pass and the clock strike until nothing is due."""
        for _ in range(40):
            wait_until(lambda: self.wake() == 200, "the function answers")
            # Whoever works for the relay must be through: a lease never ends over somebody's work.
            wait_until(lambda: not self.relay.alive or not self._calls(), "the relay's calls are answered")
            if not self.unfinished():
                return
            self.let_leases_end()
        left = self.sql("select id, attempts, due_at - now() from taskbell.task_events where state = 'due'")
        left += self.sql("select id, attempts, reason from taskbell.deliveries where state = 'due'")
        raise AssertionError(f"still due after 40 sweeps: {left}")

    def _calls(self) -> int:
        """How many calls wait for the relay, or for their answer."""
        [(count,)] = self.sql("select count(*) from net.http_request_queue")
        return int(count)

    def restart_function(self) -> None:
        """Start the function again if all of it is dead."""
        if not self.function.alive:
            self.function.start()


@contextlib.contextmanager
def stage(folder: Path, *, contacts_each: int = 3) -> Iterator[Stage]:
    """Build it, run it, and end all of it."""
    with contextlib.ExitStack() as stack:
        postgres = EmbeddedPostgres(folder / "data")
        postgres.start()
        stack.callback(postgres.kill)
        install(postgres.superuser_url)
        migrate(postgres.url)
        trap = Trap()
        proxy = PostgresProxy(lambda: postgres.port, trap)
        stack.callback(proxy.close)
        push_service = stack.enter_context(DeadlyPushService(trap))
        settings = _settings(postgres, proxy.port, push_service)
        function = FunctionProcess(settings, folder)
        relay = RelayProcess(postgres.superuser_url, folder)
        with psycopg.connect(postgres.url) as connection:
            secrets = {"taskbell_webhook_url": f"{function.url}/webhook", "taskbell_webhook_secret": SECRET}
            keep_secrets(connection, secrets)
        built = Stage(postgres, proxy, push_service, function, relay, trap, settings)
        stack.callback(function.end)
        function.start()
        stack.callback(relay.kill)
        relay.start()
        built.populate(new_vapid(VAPID_KEY).public_key, contacts_each)
        yield built


def _settings(postgres: EmbeddedPostgres, proxy_port: int, push_service: DeadlyPushService) -> dict[str, str]:
    url = postgres.url.replace(f":{postgres.port}/", f":{proxy_port}/")
    settings = environment_for(f"{url}?sslmode=disable&gssencmode=disable", push_service.origin)
    return settings | {"SSL_CERT_FILE": push_service.ca_file}
