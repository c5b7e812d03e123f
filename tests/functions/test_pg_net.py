"""pg_net and pg_cron themselves drive the whole: a task changes, a browser rings; a crash, and it still does.

Runs where both are installed beside Postgres 15, which no distribution does: README, "Try pg_net itself".
Prints what it measured (`pytest -n0 -s`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import psycopg
import pytest

from taskbell_local.migrate import migrate
from taskbell_local.vault import keep_secrets
from tests.database.database import Database
from tests.database.servers import Server
from tests.database.story import Story
from tests.functions.bell import SECRET, VAPID_KEY, environment_for, message, new_browser
from tests.functions.crash_processes import FunctionProcess
from tests.functions.http_calls import Queue
from tests.stand_ins.push_messages import new_vapid
from tests.stand_ins.push_service import PushService, Received

PATIENCE_SECONDS = 90.0
IDLE, STEADY, BURST = 8, 60, 300

pytestmark = pytest.mark.slow


@dataclass
class Bells:
    """A migrated project with pg_net and pg_cron, the function, and one person's browser."""

    story: Story
    queue: Queue
    function: FunctionProcess
    push_service: PushService

    def ring(self, count: int = 1) -> tuple[float, list[str]]:
        """Finish so many tasks for new contacts in one transaction; returns when that was committed."""
        contacts = [self.story.new_contact(f"Contact {number}") for number in range(count)]
        with self.story.database.connect(autocommit=False) as connection:
            connection.cursor().executemany(
                "insert into public.agent_tasks (user_id, agent_id, status, input_data) "
                "values (%s, %s, 'completed', jsonb_build_object('contactId', %s::text))",
                [(self.story.owner, self.story.agent, contact) for contact in contacts],
            )
            connection.commit()
            return time.monotonic(), contacts

    def arrivals(self, contacts: list[str]) -> list[float]:
        """Wait for a push about each of these contacts; returns when each arrived first.

        Waits by the number of pushes alone: whoever reads them all the while keeps the push service, a thread
        of this process, from answering in time.
        """
        pushes: list[Received] = []
        while True:
            found = {about(push): push.arrived_at for push in reversed(pushes)}
            missing = set(contacts) - set(found)
            if not missing:
                break
            pushes = self.push_service.wait_for(len(pushes) + len(missing), PATIENCE_SECONDS)
        return [found[contact] for contact in contacts]


def about(push: Received) -> str:
    """The contact that a push is about."""
    return str(message(push)["notification"]["data"]["contact_id"])


@pytest.fixture
def bells(pg_net_server: Server, tmp_path: Path) -> Iterator[Bells]:
    migrate(pg_net_server.url)
    database = Database("postgres", pg_net_server.url, pg_net_server.superuser_url)
    with PushService() as push_service:
        settings = environment_for(pg_net_server.url, push_service.origin)
        function = FunctionProcess({**settings, "SSL_CERT_FILE": push_service.ca_file}, tmp_path)
        function.start()
        try:
            story = Story(database)
            subscribe(story, push_service)
            with psycopg.connect(pg_net_server.url) as connection:
                keep_secrets(
                    connection,
                    {"taskbell_webhook_url": f"{function.url}/webhook", "taskbell_webhook_secret": SECRET},
                )
            queue = Queue(pg_net_server.url, pg_net_server.superuser_url, has_pg_net=True)
            yield Bells(story, queue, function, push_service)
        finally:
            function.end()
            database.close()


def subscribe(story: Story, push_service: PushService) -> None:
    """A browser whose owner wants each notification by itself."""
    browser = new_browser(push_service, public_key=new_vapid(VAPID_KEY).public_key)
    story.database.rpc("taskbell_subscribe", p_user_id=story.owner, p_subscription=browser)
    story.database.rpc("taskbell_change_preferences", p_user_id=story.owner, p_change={"digest": False})


def told(what: str, seconds: list[float]) -> None:
    milliseconds = sorted(1000 * value for value in seconds)
    p95 = quantiles(milliseconds, n=20)[-1] if len(milliseconds) > 1 else milliseconds[0]
    print(f"{what}: p50 {median(milliseconds):.0f} ms, p95 {p95:.0f} ms, n {len(milliseconds)}")


def test_a_task_that_changes_rings_a_browser(bells: Bells) -> None:
    idle = []
    for _ in range(IDLE):
        time.sleep(2.2)  # pg_net sleeps again a second after its last batch
        committed, contacts = bells.ring()
        idle.append(bells.arrivals(contacts)[0] - committed)
    told("commit to push, pg_net idle", idle[1:])

    started, steady = time.monotonic(), []
    for number in range(STEADY):
        time.sleep(max(0.0, started + number / 10 - time.monotonic()))
        steady.append(bells.ring())
    told(
        "commit to push, 10 tasks a second",
        [bells.arrivals(contacts)[0] - committed for committed, contacts in steady],
    )

    committed, contacts = bells.ring(BURST)
    told(
        f"commit to push, {BURST} tasks in one transaction",
        [arrived - committed for arrived in bells.arrivals(contacts)],
    )
    repeated = len(bells.push_service.received) - (IDLE + STEADY + BURST)
    print(f"repeated, because the push service answered late: {repeated}")
    answers = bells.story.database.execute("select status_code, count(*) from net._http_response group by 1")
    assert [200] == [status for status, _ in answers]


async def lost_in_a_crash(bells: Bells) -> list[str]:
    """Finish a task while the function is away, and crash; returns its contact."""
    _, contacts = bells.ring()
    await bells.queue.crash()
    assert [] == await bells.queue.rows("select from net.http_request_queue")
    assert [] == await bells.queue.rows("select from net._http_response")
    return contacts


def test_a_wake_up_that_a_crash_lost_is_made_good_by_pg_cron(bells: Bells) -> None:
    schedule = bells.story.database.value("select schedule from cron.job where jobname = 'taskbell'")
    bells.function.end()
    contacts = asyncio.run(lost_in_a_crash(bells))
    bells.story.database.close()  # the crash ended its connection
    bells.story.database = Database("postgres", bells.queue.url, bells.queue.superuser_url)
    crashed = time.monotonic()
    bells.function.start()
    assert [] == [push for push in bells.push_service.received if push.arrived_at > crashed]
    [arrived] = bells.arrivals(contacts)
    print(f"healed {arrived - crashed:.0f} s after the crash, by a job that runs at {schedule!r}")
    bells.story.database.close()
