"""The design's table of outcomes: what each answer of a push service means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskbell.model import Outcome, OutcomeKind
from taskbell.notify.outcome import BREAK_SECONDS, MAX_ATTEMPTS, back_off_seconds, outcome
from taskbell.push import PushResponse

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)


def judged(
    response: PushResponse, *, attempt: int = 1, expires_at: datetime = TOMORROW, chance: float = 0.5
) -> Outcome:
    return outcome(response, attempt=attempt, now=NOW, expires_at=expires_at, random=lambda: chance)


def answered(status_code: int, **more: str) -> Outcome:
    return judged(PushResponse(status_code, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ((200, 201, 202, 204), OutcomeKind.ACCEPTED),
        ((404, 410), OutcomeKind.GONE),
        ((401, 403), OutcomeKind.MISCONFIGURED),
        ((406, 408, 425, 429, 500, 502, 503, 504, 507, 599), OutcomeKind.RETRY),
        ((400, 402, 405, 409, 411, 413, 415, 422, 301, 302, 307, 308), OutcomeKind.REJECTED),
    ],
)
def test_each_status_has_its_outcome(codes: tuple[int, ...], kind: OutcomeKind) -> None:
    assert {code: answered(code).kind for code in codes} == dict.fromkeys(codes, kind)


@settings(deadline=None)
@given(st.integers(100, 599), st.integers(1, 20))
def test_only_404_and_410_retire_a_subscription(code: int, attempt: int) -> None:
    verdict = judged(PushResponse(code), attempt=attempt)
    assert (verdict.kind is OutcomeKind.GONE) == (code in {404, 410})


@pytest.mark.parametrize(
    "error", ["timeout", "connection_failed", "tls_failed", "reset", "internal_error", "unheard_of"]
)
def test_no_answer_is_tried_again(error: str) -> None:
    assert judged(PushResponse(None, error=error)) == Outcome(OutcomeKind.RETRY, None, error, 15.0)


@pytest.mark.parametrize(
    "error",
    [
        "refused_address",
        "bad_subscription",
        "no_matching_vapid_key",
        "endpoint_not_allowed",
        "bad_payload",
        "bad_message",
    ],
)
def test_what_can_never_be_sent_is_a_dead_letter_and_retires_nothing(error: str) -> None:
    assert judged(PushResponse(None, error=error)) == Outcome(OutcomeKind.REJECTED, None, error)


@pytest.mark.parametrize(("error", "seconds"), [("budget_exhausted", 0.0), ("closed", 1.0)])
@pytest.mark.parametrize("attempt", [1, MAX_ATTEMPTS, 100])
def test_what_was_never_sent_is_due_at_once(error: str, seconds: float, attempt: int) -> None:
    assert judged(PushResponse(None, error=error), attempt=attempt).kind is OutcomeKind.RETRY
    assert judged(PushResponse(None, error=error), attempt=attempt).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 1.0),
        ("Mon, 02 Mar 2026 12:02:00 GMT", 120.0),
        ("Monday, 02-Mar-26 12:02:00 GMT", 120.0),
        ("Mon Mar  2 12:02:00 2026", 120.0),
        ("Mon, 02 Mar 2026 13:02:00 +0100", 120.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 1.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    assert answered(429, retry_after=header) == Outcome(OutcomeKind.RETRY, 429, "http_429", seconds)


@pytest.mark.parametrize(
    "header", ["", "soon", "-5", "1.5", "٣", "1e3", "Mon, 99 Foo 2026", "0x10", "\x00", "+5", "Mon, 02 Mar"]
)
def test_garbage_in_retry_after_means_our_own_back_off(header: str) -> None:
    assert answered(503, retry_after=header).retry_after_seconds == 15.0


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_retry_after_breaks_it(header: str) -> None:
    assert answered(503, retry_after=header).kind in {OutcomeKind.RETRY, OutcomeKind.EXPIRED}


@pytest.mark.parametrize("header", ["9" * 500, "864000", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_beyond_the_messages_life_ends_it(header: str) -> None:
    assert answered(429, retry_after=header).kind is OutcomeKind.EXPIRED


def test_back_off_doubles_from_15_seconds_to_15_minutes() -> None:
    delays = [back_off_seconds(attempt, lambda: 0.5) for attempt in range(1, MAX_ATTEMPTS + 1)]
    assert delays == [15, 30, 60, 120, 240, 480, 900, 900]


@settings(deadline=None)
@given(st.integers(1, 10_000), st.floats(0, 1))
def test_jitter_is_a_fifth_either_way(attempt: int, chance: float) -> None:
    plain = back_off_seconds(attempt, lambda: 0.5)
    assert 0.79 * plain <= back_off_seconds(attempt, lambda: chance) <= 1.21 * plain


def test_the_eighth_try_is_the_last() -> None:
    assert judged(PushResponse(503), attempt=MAX_ATTEMPTS - 1).kind is OutcomeKind.RETRY
    assert judged(PushResponse(503), attempt=MAX_ATTEMPTS) == Outcome(OutcomeKind.EXPIRED, 503, "http_503")


def test_what_would_come_too_late_is_not_tried_again() -> None:
    soon = NOW + timedelta(seconds=15)
    assert judged(PushResponse(None, error="timeout"), expires_at=soon).kind is OutcomeKind.EXPIRED
    assert (
        judged(PushResponse(None, error="timeout"), expires_at=soon + timedelta(seconds=1)).kind
        is OutcomeKind.RETRY
    )


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, BREAK_SECONDS), ("1800", 1800.0), ("1", 60.0), ("86400", 3600.0), ("soon", BREAK_SECONDS)],
)
def test_a_push_service_that_refuses_us_is_left_alone_for_a_while(header: str | None, seconds: float) -> None:
    verdict = judged(PushResponse(403, retry_after=header), attempt=MAX_ATTEMPTS + 5)
    assert verdict == Outcome(OutcomeKind.MISCONFIGURED, 403, "http_403", seconds)


def test_the_push_services_own_word_is_kept() -> None:
    assert answered(400, service_reason="BadWebPushTopic").reason == "http_400:badwebpushtopic"
    assert answered(503, service_reason="errno 201").reason == "http_503:errno_201"
    assert answered(406, wns_status="dropped").reason == "http_406:dropped"
