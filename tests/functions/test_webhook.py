"""What the function `webhook` takes, what it refuses, and that it always answers in time."""

from __future__ import annotations

import json
import logging
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskbell.app import Application, JsonLines
from taskbell.intake.parse import MAX_BODY_BYTES
from tests.functions.bell import SECRET, WAKE_UP, Behaviour, Bell, post, settings_for, signed

PG_NET_SECONDS = 5  # then it gives the call up; 3 are promised, and a busy machine may be late itself


@pytest.fixture
def dashboard(bell: Bell) -> Bell:
    """Give a project without our trigger, whose webhook was made in the dashboard."""
    bell.database.execute("drop trigger taskbell_capture on public.agent_tasks")
    bell.database.execute("delete from taskbell.task_events where true")
    return bell


def events(bell: Bell) -> int:
    return int(bell.database.value("select count(*) from taskbell.task_events"))


def refused(bell: Bell, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Send it to the webhook; returns the status and the reason, and nothing may be stored."""
    before = events(bell)
    response = bell.webhook(body, headers)
    error = response.get_json()["error"]
    assert set(error) == {"reason", "message"}
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert events(bell) == before
    return response.status_code, error["reason"]


def test_a_wake_up_with_nothing_due_is_answered_with_zeros(bell: Bell) -> None:
    counts = bell.wake()["dispatched"]
    assert counts.pop("more") is False
    assert set(counts.values()) == {0}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"webhook-signature": "v1,AAAA"}, "bad_signature"),
        ({"webhook-signature": None}, "no_signature"),
        ({"webhook-id": None}, "no_signature"),
        ({"webhook-timestamp": "1"}, "stale_signature"),
        ({"webhook-timestamp": "soon"}, "bad_signature"),
        ({"x-taskbell-secret": "whsec_wrong"}, "bad_signature"),
    ],
)
def test_who_cannot_sign_is_refused_and_nothing_stored(
    dashboard: Bell, change: dict[str, str | None], reason: str
) -> None:
    body = dashboard.row_change()
    headers: dict[str, str | None] = {**signed(body), **change}
    assert refused(dashboard, body, {k: v for k, v in headers.items() if v is not None}) == (401, reason)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "bad_json")),
        (b"{", (400, "bad_json")),
        (b"[" * 5000, (400, "bad_json")),
        (b"[]", (422, "bad_shape")),
        (b"{}", (422, "bad_shape")),
        (b" " * (MAX_BODY_BYTES + 1), (413, "body_too_large")),
    ],
)
def test_signed_nonsense_is_refused_with_a_reason(bell: Bell, body: bytes, expected: tuple[int, str]) -> None:
    assert refused(bell, body) == expected


@pytest.mark.parametrize(
    "changes", [{"table": "contacts"}, {"schema": "private"}, {"table": 'agent_tasks"; drop table x'}]
)
def test_another_table_is_refused(dashboard: Bell, changes: dict[str, str]) -> None:
    assert refused(dashboard, dashboard.row_change(**changes)) == (422, "unknown_table")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
def test_only_post_is_taken(bell: Bell, method: str) -> None:
    response = bell.application.webhook(post(b"", {}, method=method))
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_a_body_that_lies_about_its_length_is_not_read_on(bell: Bell) -> None:
    request = post(b"x" * 100, signed(b""))
    request.environ["CONTENT_LENGTH"] = str(10**12)
    assert bell.application.webhook(request).status_code == 413


def test_a_dashboard_webhook_records_its_row_once_and_rings(dashboard: Bell) -> None:
    dashboard.browser()
    body = dashboard.row_change()
    first = dashboard.webhook(body, {"x-taskbell-secret": SECRET}).get_json()
    again = dashboard.webhook(body, {"x-taskbell-secret": SECRET}).get_json()
    assert (first["recorded"]["recorded"], first["dispatched"]["accepted"]) == (True, 1)
    assert (again["recorded"]["recorded"], again["recorded"]["reason"]) == (False, "duplicate")
    [shown] = dashboard.shown()
    assert shown["title"] == "Outreach Agent finished for Ada Lovelace"


def test_a_dashboard_webhook_beside_the_trigger_adds_nothing(bell: Bell) -> None:
    task = bell.new_task(status="completed")
    before = events(bell)
    answer = bell.webhook(bell.row_change(record={"id": task, "status": "completed"})).get_json()
    assert answer["recorded"]["reason"] == "captured_by_trigger"
    assert events(bell) == before


def test_a_row_that_nobody_can_describe_is_a_dead_letter_and_blocks_nobody(dashboard: Bell) -> None:
    dashboard.browser()
    odd = {"id": "odd", "user_id": "not-a-uuid", "status": {"a": 1}, "input_data": [1, 2]}
    assert dashboard.webhook(dashboard.row_change(record=odd)).status_code == 200
    assert dashboard.webhook(dashboard.row_change()).get_json()["dispatched"]["accepted"] == 1


def test_the_answer_comes_within_three_seconds_whatever_the_push_service_does(bell: Bell) -> None:
    bell.browser(Behaviour(delay_seconds=60))
    bell.browser()
    bell.new_task(status="completed")
    started = time.monotonic()
    counts = bell.wake()["dispatched"]
    assert time.monotonic() - started < PG_NET_SECONDS
    assert (counts["accepted"], counts["retry"]) == (1, 1)
    assert sorted(bell.delivery_states()) == ["accepted", "due"]


def test_the_answer_comes_within_three_seconds_whatever_the_database_does(bell: Bell) -> None:
    bell.new_task(status="completed")
    with bell.database.connect(autocommit=False) as blocker:
        blocker.execute("lock table taskbell.task_events in access exclusive mode")
        started = time.monotonic()
        response = bell.webhook(WAKE_UP)
        assert time.monotonic() - started < PG_NET_SECONDS
        assert response.status_code in {200, 503}
    bell.let_time_pass(minutes=2)
    assert bell.wake()["dispatched"]["events"] == 1


def test_without_a_database_the_answer_is_503_and_tells_no_address(bell: Bell) -> None:
    nowhere = "postgresql://somebody:hunter2@127.0.0.1:1/nothing"
    application = Application(settings_for(nowhere, bell.push_service.origin))
    try:
        started = time.monotonic()
        response = application.webhook(post(WAKE_UP, signed(WAKE_UP)))
        assert time.monotonic() - started < PG_NET_SECONDS
    finally:
        application.close()
    assert (response.status_code, response.get_json()["error"]["reason"]) == (503, "database_unavailable")
    assert "hunter2" not in response.get_data(as_text=True)


def test_secrets_rotate_without_a_gap(bell: Bell) -> None:
    newer = "whsec_" + "bmV3ZXIgc2VjcmV0IG9mIHR3ZW50eS1mb3Vy"
    both = Application(
        settings_for(bell.database.url, bell.push_service.origin, WEBHOOK_SECRETS=f"{SECRET} {newer}")
    )
    try:
        for secret in (SECRET, newer):
            response = both.webhook(post(WAKE_UP, signed(WAKE_UP, secret=secret)))
            assert response.status_code == 200
    finally:
        both.close()
    assert refused(bell, WAKE_UP, signed(WAKE_UP, secret=newer)) == (401, "bad_signature")


def test_the_sweep_does_the_same_for_any_signed_body(bell: Bell) -> None:
    bell.browser()
    bell.new_task(status="completed")
    assert bell.sweep(b"not json at all").get_json()["dispatched"]["accepted"] == 1
    assert bell.sweep(b"", {"x-taskbell-secret": SECRET}).status_code == 200
    assert bell.sweep(b"", {}).status_code == 401


def test_logs_are_json_with_counts_and_hold_nothing_secret(
    bell: Bell, caplog: pytest.LogCaptureFixture
) -> None:
    subscription = bell.browser()
    bell.new_task(status="failed", error_message="the customer's secret")
    with caplog.at_level(logging.INFO, logger="taskbell"):
        bell.wake()
        bell.webhook(WAKE_UP, {"x-taskbell-secret": "whsec_wrong"})
    lines = [JsonLines().format(record) for record in caplog.records]
    decoded = [json.loads(line) for line in lines]
    stages = [line["stage"] for line in decoded if "stage" in line]
    assert stages == ["send", "settle", "dispatch", "webhook", "webhook"]
    assert (decoded[-1]["severity"], decoded[-1]["reason"]) == ("WARNING", "bad_signature")
    path = bell.endpoints[subscription].removeprefix(bell.push_service.origin)
    for word in (SECRET, "whsec_wrong", path, "customer's secret", "Ada"):
        assert not any(word in line for line in lines)


@given(
    body=st.binary(max_size=300),
    headers=st.dictionaries(
        st.sampled_from(
            ["webhook-id", "webhook-timestamp", "webhook-signature", "x-taskbell-secret", "content-type"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60),
    ),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_stranger_gets_anything_but_a_401(bell: Bell, body: bytes, headers: dict[str, str]) -> None:
    response = bell.webhook(body, headers)
    assert response.status_code == 401
    assert events(bell) == 0
