"""The signed wake-up: at most one a transaction, verifiable, and never the writer's problem."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import psycopg
import pytest

from tests.database.story import Story, later

SECRET = b"a secret of thirty-two bytes!!!!"
URL = "https://functions.example/webhook"


@pytest.fixture
def configured(story: Story) -> Story:
    """A story whose database knows where the function is."""
    secret = "whsec_" + base64.b64encode(SECRET).decode()
    story.database.execute("select vault.create_secret(%s, 'taskbell_webhook_secret')", secret)
    story.database.execute("select vault.create_secret(%s, 'taskbell_webhook_url')", URL)
    return story


def requests(story: Story) -> list[tuple[str, dict[str, str], bytes]]:
    """Address, headers and body of every request in pg_net's queue."""
    return story.database.execute("select url, headers, body from net.http_request_queue order by id")


def signature(headers: dict[str, str], body: bytes, key: bytes = SECRET) -> str:
    """Standard Webhooks' v1 signature, computed by Python."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def test_the_signature_is_that_of_standard_webhooks(configured: Story) -> None:
    configured.new_task()
    [(url, headers, body)] = requests(configured)
    assert URL == url
    assert signature(headers, body) == headers["webhook-signature"]
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    event_id = configured.database.value("select id from taskbell.task_events")
    assert {"type": "taskbell.wakeup", "event_id": event_id} == json.loads(body)
    assert f"event_{event_id}" == headers["webhook-id"]
    assert "application/json" == headers["content-type"]


@pytest.mark.parametrize("key", [b"k", b"k" * 64, b"k" * 65, b"k" * 200])
def test_keys_of_every_length_sign_alike(story: Story, key: bytes) -> None:
    body = {"text": "Müller 🎉"}
    [(headers, sent)] = story.database.execute(
        "select taskbell.signed_headers('id', now(), %s::jsonb, %s), convert_to((%s::jsonb)::text, 'UTF8')",
        *(json.dumps(body), base64.b64encode(key).decode(), json.dumps(body)),
    )
    assert signature(headers, sent, key) == headers["webhook-signature"]


def test_a_transaction_sends_one_wake_up_however_much_it_writes(configured: Story) -> None:
    with configured.database.connect() as connection:
        with connection.transaction():
            for _ in range(3):
                connection.execute(
                    "insert into public.agent_tasks (user_id) values (%s)", (configured.owner,)
                )
            connection.execute("update public.agent_tasks set status = 'failed' where true")
        assert 1 == len(requests(configured))
        connection.execute("update public.agent_tasks set status = 'pending' where true")
    assert 2 == len(requests(configured))


def test_a_savepoint_that_is_rolled_back_takes_its_wake_up_along_and_the_next_write_sends_one(
    configured: Story,
) -> None:
    with configured.database.connect() as connection, connection.transaction():
        with connection.transaction(force_rollback=True):
            connection.execute("insert into public.agent_tasks (user_id) values (%s)", (configured.owner,))
        connection.execute("insert into public.agent_tasks (user_id) values (%s)", (configured.owner,))
    [(_, _, body)] = requests(configured)
    assert (
        configured.database.value("select max(id) from taskbell.task_events") == json.loads(body)["event_id"]
    )


def test_nothing_is_sent_where_nothing_changed(configured: Story) -> None:
    task = configured.new_task()
    configured.database.execute("delete from net.http_request_queue where true")
    configured.set_task(task, status="pending")
    configured.database.execute("update public.agent_tasks set status = 'failed' where false")
    assert [] == requests(configured)


def test_without_an_address_the_event_alone_is_written(story: Story) -> None:
    story.new_task()
    assert [] == requests(story)
    assert 1 == story.database.value("select count(*) from taskbell.task_events")


@pytest.mark.parametrize(
    "broken",
    [
        "drop function net.http_post",
        "drop schema net cascade",
        "drop schema vault cascade",
        "drop schema extensions cascade",
        "select vault.update_secret(id, 'whsec_§') from vault.secrets where name = 'taskbell_webhook_secret'",
    ],
)
def test_a_broken_wake_up_is_a_warning_and_never_the_writers_error(configured: Story, broken: str) -> None:
    with psycopg.connect(configured.database.superuser_url) as superuser:
        superuser.execute(broken.encode())
    warnings: list[tuple[str | None, str | None]] = []
    with configured.database.connect() as connection:
        connection.add_notice_handler(
            lambda notice: warnings.append((notice.severity_nonlocalized, notice.message_primary))
        )
        connection.execute("insert into public.agent_tasks (user_id) values (%s)", (configured.owner,))
    assert 1 == configured.database.value("select count(*) from taskbell.task_events")
    [(severity, message)] = warnings
    assert "WARNING" == severity
    assert "whsec" not in str(message)
    assert URL not in str(message)


def test_the_clock_wakes_the_function_only_when_something_is_due(configured: Story) -> None:
    wake = "select taskbell.wake_if_due(%s)"
    assert not configured.database.value(wake, later())
    configured.new_task()
    configured.database.execute("delete from net.http_request_queue where true")
    assert configured.database.value(wake, later())
    configured.claim(p_lease_seconds=60)
    assert not configured.database.value(wake, later(seconds=5))
    assert configured.database.value(wake, later(seconds=65))
    [(url, headers, body), _] = requests(configured)
    assert URL == url
    assert signature(headers, body) == headers["webhook-signature"]


def test_the_clock_wakes_the_function_for_a_delivery_that_is_due(configured: Story) -> None:
    configured.subscribe()
    configured.new_task("failed")
    configured.dispatch(p_lease_seconds=60)
    assert not configured.database.value("select taskbell.wake_if_due(%s)", later(seconds=5))
    assert configured.database.value("select taskbell.wake_if_due(%s)", later(seconds=65))


def test_the_clock_prefers_an_address_of_its_own(configured: Story) -> None:
    sweep = "https://functions.example/sweep"
    configured.database.execute("select vault.create_secret(%s, 'taskbell_sweep_url')", sweep)
    configured.new_task()
    configured.database.execute("select taskbell.wake_if_due(%s)", later())
    assert [URL, sweep] == [url for url, _, _ in requests(configured)]


def test_the_clock_is_scheduled_once(story: Story) -> None:
    jobs = story.database.execute("select jobname, schedule, username from cron.job order by jobname")
    assert [("taskbell", "15 seconds", "postgres"), ("taskbell-prune", "*/15 * * * *", "postgres")] == jobs
    for (command,) in story.database.execute("select command from cron.job"):
        story.database.execute(command)
