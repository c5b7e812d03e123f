"""What a push service's answer means; the design's table of outcomes.

In: a response, which try it was, the time. Out: an `Outcome`. Pure. Only 404 and 410 mean that a subscription
is dead (RFC 8030 §7.3); 401 and 403 mean that our own set-up is wrong.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from taskbell.model import Outcome, OutcomeKind
from taskbell.push import PushResponse

MAX_ATTEMPTS = 8
FIRST_DELAY_SECONDS = 15.0
MAX_DELAY_SECONDS = 15 * 60.0
BREAK_SECONDS = 10 * 60.0
"""How long a push service that does not accept our credentials is left alone, unless it says itself."""

MIN_BREAK_SECONDS, MAX_BREAK_SECONDS = 60.0, 3600.0
"""Within what it may say: whoever mends our set-up should not have to wait for days."""

_MAX_RETRY_AFTER_SECONDS = 30 * 24 * 3600.0

_GONE = (404, 410)
_MISCONFIGURED = (401, 403)
_RETRY = (406, 408, 425, 429)
"""406 is how WNS throttles; 408 and 425 ask for another try by definition (RFC 9110, RFC 8470)."""

NOT_SENT = {"budget_exhausted": 0.0, "closed": 1.0}
"""What ended a try before the message went out, and the seconds until the next: nobody was asked, so there is
nothing to back off from. `taskbell_settle` knows these reasons too, and counts no attempt."""

_HOPELESS = (
    "bad_message",
    "bad_payload",
    "bad_subscription",
    "endpoint_not_allowed",
    "no_matching_vapid_key",
    "refused_address",
)


def outcome(
    response: PushResponse,
    *,
    attempt: int,
    now: datetime,
    expires_at: datetime,
    random: Callable[[], float],
) -> Outcome:
    """Return what `response` to try number `attempt` (from 1) means at `now`; `random` yields 0 to 1."""
    code = response.status_code
    if code is None:
        return _without_answer(response, attempt, now, expires_at, random)
    if 200 <= code < 300:
        return Outcome(OutcomeKind.ACCEPTED, code)
    reason = _reason(response)
    if code in _GONE:
        return Outcome(OutcomeKind.GONE, code, reason)
    if code in _MISCONFIGURED:
        rest = _retry_after(response.retry_after, now) or BREAK_SECONDS
        rest = min(max(rest, MIN_BREAK_SECONDS), MAX_BREAK_SECONDS)
        return Outcome(OutcomeKind.MISCONFIGURED, code, reason, rest)
    if code in _RETRY or code >= 500:
        return _again(response, reason, attempt, now, expires_at, random)
    # 400, 413 and what no push service should say, redirects among them, which are never followed.
    return Outcome(OutcomeKind.REJECTED, code, reason)


def back_off_seconds(attempt: int, random: Callable[[], float]) -> float:
    """Return 15 s doubling to 15 min, a fifth up or down, so that what failed together does not return so."""
    delay = min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(attempt - 1, 16))
    return float(delay * (0.8 + 0.4 * random()))


def _without_answer(
    response: PushResponse, attempt: int, now: datetime, expires_at: datetime, random: Callable[[], float]
) -> Outcome:
    reason = response.error or "no_answer"
    if reason in _HOPELESS:
        return Outcome(OutcomeKind.REJECTED, None, reason)
    if reason in NOT_SENT:
        return Outcome(OutcomeKind.RETRY, None, reason, NOT_SENT[reason])
    return _again(response, reason, attempt, now, expires_at, random)


def _again(
    response: PushResponse,
    reason: str,
    attempt: int,
    now: datetime,
    expires_at: datetime,
    random: Callable[[], float],
) -> Outcome:
    asked = _retry_after(response.retry_after, now)
    delay = back_off_seconds(attempt, random) if asked is None else max(1.0, asked)
    if attempt >= MAX_ATTEMPTS or delay >= (expires_at - now).total_seconds():
        return Outcome(OutcomeKind.EXPIRED, response.status_code, reason)
    return Outcome(OutcomeKind.RETRY, response.status_code, reason, round(delay, 3))


def _reason(response: PushResponse) -> str:
    said = response.service_reason or response.wns_status
    slug = "".join(c if c.isalnum() else "_" for c in (said or "").lower())[:60].strip("_")
    return f"http_{response.status_code}" + (f":{slug}" if slug else "")


def _retry_after(header: str | None, now: datetime) -> float | None:
    """Return what Retry-After asks for in seconds (RFC 9110 §10.2.3), None for garbage."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), _MAX_RETRY_AFTER_SECONDS)
    try:
        date = parsedate_to_datetime(text)
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0.0, math.ceil(seconds.total_seconds())), _MAX_RETRY_AFTER_SECONDS)
