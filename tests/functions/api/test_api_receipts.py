"""Receipts: the token in the payload is all the proof there is, and it opens one delivery only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from taskbell.api import ADDRESS_BURST, ADDRESS_PER_SECOND
from taskbell.api.rate_limit import RateLimit
from taskbell.notify.receipt import receipt_token
from tests.functions.api.conftest import WEBHOOK_SECRET
from tests.functions.api.stage import Stage, reason
from tests.stand_ins.clock import Clock
from tests.stand_ins.push_service import PushService

PATH = "/v1/receipts"


@pytest.fixture
def delivery(stage: Stage, push_service: PushService) -> int:
    """Ring somebody; return the delivery's id."""
    user_id, browser = stage.someone()
    browser.put("/v1/subscriptions", json=stage.subscription(**push_service.new_subscription()))
    stage.rows.task(user_id, stage.rows.contact(user_id), stage.rows.agent(), status="failed")
    stage.dispatch()
    return int(
        stage.rows.value(
            "select d.id from taskbell.deliveries d join taskbell.notifications n on n.id = d.notification_id"
            " where n.user_id = %s",
            user_id,
        )
    )


def last_shown(stage: Stage, delivery: int) -> datetime | None:
    shown: datetime | None = stage.rows.value(
        "select s.last_shown_at from taskbell.subscriptions s join taskbell.deliveries d"
        " on d.subscription_id = s.id where d.id = %s",
        delivery,
    )
    return shown


def send(worker: httpx.Client, delivery: int, **changes: Any) -> httpx.Response:
    token = receipt_token(delivery, [WEBHOOK_SECRET])
    return worker.post(PATH, json={"token": token, "event": "shown"} | changes)


def test_a_worker_without_a_session_tells_that_it_showed_a_notification(stage: Stage, delivery: int) -> None:
    answer = send(stage.browser(), delivery)
    assert (answer.status_code, answer.content) == (204, b"")
    shown = last_shown(stage, delivery)
    assert shown is not None
    assert abs(datetime.now(UTC) - shown) < timedelta(seconds=30)


@pytest.mark.parametrize("event", ["shown", "clicked", "closed"])
def test_what_can_become_of_a_notification(stage: Stage, delivery: int, event: str) -> None:
    worker = stage.browser()
    assert [send(worker, delivery, event=event).status_code for _ in range(2)] == [204, 204]


def test_a_receipt_that_waited_for_a_network_keeps_its_time(stage: Stage, delivery: int) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    assert send(stage.browser(), delivery, at=at.isoformat()).status_code == 204
    assert at == last_shown(stage, delivery)


def test_a_browsers_clock_may_be_wrong_but_not_in_the_future(stage: Stage, delivery: int) -> None:
    at = datetime.now(UTC) + timedelta(days=400)
    assert send(stage.browser(), delivery, at=at.isoformat()).status_code == 204
    shown = last_shown(stage, delivery)
    assert shown is not None
    assert shown <= datetime.now(UTC)


def test_a_token_made_up_or_for_another_delivery_is_refused(stage: Stage, delivery: int) -> None:
    worker = stage.browser()
    id_, _, mac = receipt_token(delivery, [WEBHOOK_SECRET]).partition(".")
    for token in (
        f"{id_}.{mac[::-1]}",
        f"{delivery + 1}.{mac}",
        f"0{id_}.{mac}",
        receipt_token(delivery, ["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]),
    ):
        assert reason(send(worker, delivery, token=token)) == (403, "bad_receipt")
    assert last_shown(stage, delivery) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"token": ""},
        {"token": "1"},
        {"token": "1." + "x" * 200},
        {"token": None},
        {"event": "opened"},
        {"event": None},
        {"at": "yesterday"},
        {"at": "2026-01-01T00:00:00"},
        {"at": 1_700_000_000},
        {"at": "999999-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_another_shape_is_refused(stage: Stage, delivery: int, changes: dict[str, Any]) -> None:
    assert reason(send(stage.browser(), delivery, **changes)) == (422, "bad_body")
    assert last_shown(stage, delivery) is None


def test_a_receipt_for_what_is_long_forgotten_is_no_error(stage: Stage) -> None:
    assert send(stage.browser(), 2**62).status_code == 204


def test_one_address_cannot_send_receipts_without_end(stage_with: Callable[..., Stage]) -> None:
    stopped = Clock(0.0)
    worker = stage_with(
        addresses=RateLimit(burst=ADDRESS_BURST, per_second=ADDRESS_PER_SECOND, now=stopped)
    ).browser()
    # A proxy of the platform names the caller; another caller's bucket stays full.
    headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
    answers = [
        worker.post(PATH, json={"token": "1.x", "event": "shown"}, headers=headers)
        for _ in range(int(ADDRESS_BURST) + 1)
    ]
    *taken, refused = answers
    assert {(403, "bad_receipt")} == {reason(answer) for answer in taken}
    assert reason(refused) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) >= 1
    other = worker.post(PATH, json={"token": "1.x", "event": "shown"}, headers={"X-Forwarded-For": "8.8.8.8"})
    assert other.status_code == 403
