"""Anything at all, sent to the webhook and the sweep: no 5xx, no traceback, nothing written on refusal.

`WEBHOOK_FUZZ_REQUESTS` sets how many requests are made (400 by default), `WEBHOOK_FUZZ_SEED` which ones. A
failure names the seed and the number of the request that shows it.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections import Counter
from typing import Any

import pytest

from tests.functions.bell import SECRET, Bell, post
from tests.functions.strange_webhooks import Webhook, generate

REQUESTS = int(os.environ.get("WEBHOOK_FUZZ_REQUESTS", "400"))
SEED = int(os.environ.get("WEBHOOK_FUZZ_SEED", "2026"))
REFUSALS = {400, 401, 405, 413, 422}
TABLES = """
select format('%I.%I', schemaname, tablename) from pg_tables
where schemaname in ('taskbell', 'public', 'auth', 'vault', 'net', 'cron', 'realtime')
"""


@pytest.fixture
def dashboard(bell: Bell) -> Bell:
    """Give a project without our trigger, whose webhook was made in the dashboard, and a browser."""
    bell.database.execute("drop trigger taskbell_capture on public.agent_tasks")
    bell.browser()
    return bell


def row(bell: Bell) -> dict[str, Any]:
    return {
        "id": "0d0e0000-0000-4000-8000-000000000001",
        "user_id": bell.owner,
        "agent_id": bell.agent,
        "status": "completed",
        "input_data": {"contactId": bell.contact},
        "error_message": None,
        "updated_at": "2026-03-02T12:00:00+00:00",
    }


def next_transaction(bell: Bell) -> int:
    """Return the number that the next transaction that writes anything, anywhere on the server, will get."""
    return int(bell.database.value("select pg_snapshot_xmax(pg_current_snapshot())::text"))


def written_since(bell: Bell, transaction: int) -> list[str]:
    """Return the tables with a row that this transaction or a later one wrote."""
    return [
        table
        for (table,) in bell.database.execute(TABLES)
        if bell.database.value(
            f"select exists (select from {table} where xmin::text::bigint >= %s)",  # noqa: S608
            transaction % 2**32,
        )
    ]


def send(bell: Bell, webhook: Webhook, path: str) -> int:
    """Send it, and see that a refusal wrote nothing; returns the status."""
    before = next_transaction(bell)
    request = post(webhook.body, webhook.headers, path, webhook.method)
    response = (bell.application.sweep if path == "/sweep" else bell.application.webhook)(request)
    assert response.status_code in REFUSALS | {200}
    answer = response.get_json()
    if response.status_code in REFUSALS:
        assert {"reason", "message"} == set(answer["error"])
        # A server of one's own writes only when asked; otherwise look closer.
        assert next_transaction(bell) == before or written_since(bell, before) == []
    else:
        assert webhook.vouched
    assert b"Traceback" not in response.data
    return int(response.status_code)


@pytest.mark.slow
def test_whatever_is_sent(dashboard: Bell, caplog: pytest.LogCaptureFixture, record_property: Any) -> None:
    caplog.set_level(logging.WARNING)
    chance, good, counts = random.Random(SEED), row(dashboard), Counter[int]()  # noqa: S311
    started = time.monotonic()
    for number in range(REQUESTS):
        webhook = generate(chance, good, SECRET)
        try:
            counts[send(dashboard, webhook, "/sweep" if chance.random() < 0.05 else "/webhook")] += 1
        except BaseException:
            print(f"seed {SEED}, request {number}: {webhook}")
            raise
        faults = [one for one in caplog.records if one.exc_info or one.getMessage() == "failed"]
        assert faults == [], f"seed {SEED}, request {number}"
        caplog.clear()
        if number % 1000 == 999:
            dashboard.database.rpc("taskbell_prune", p_older_than="0", p_batch=100_000)
    assert {200, 400, 401, 405, 422} <= set(counts)
    assert counts.total() == REQUESTS
    figures = f"{REQUESTS} requests in {time.monotonic() - started:.0f} s: {dict(sorted(counts.items()))}"
    record_property("fuzz", figures)
    print(figures)
