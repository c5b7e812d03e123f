"""A message becomes the request that every push service accepts, or none."""

from typing import Any

import pytest

from taskbell.push import PushRefused
from taskbell.push.request import make_request
from tests.stand_ins.push_messages import TOPIC, message_to, new_vapid
from tests.stand_ins.push_service_rules import BrowserKeys, Request, judge

VAPID = new_vapid()
KEYS = BrowserKeys()
FCM = "https://fcm.googleapis.com"


def request_to(origin: str, **changes: Any) -> Request:
    subscription = {"endpoint": f"{origin}/x", "keys": KEYS.public_keys()}
    made = make_request(message_to(subscription, VAPID, **changes), origin, VAPID)
    fields = (line.split(":", 1) for line in made.headers)
    headers = {name.lower(): value.strip() for name, value in fields if value}
    return Request("POST", "/x", headers, made.body, "2")


def test_the_strictest_push_service_accepts_it() -> None:
    request = request_to(FCM)
    assert 201 == judge(request, origin=FCM, vapid_public_key=VAPID.public_key).status
    assert b'{"web_push": 8030}' == KEYS.decrypt(request.body)


def test_ttl_urgency_and_topic_travel_as_headers() -> None:
    headers = request_to(FCM, ttl_seconds=86400, urgency="high").headers
    assert ("86400", "high", TOPIC) == (headers["ttl"], headers["urgency"], headers["topic"])


def test_a_message_without_a_topic_has_no_such_header() -> None:
    assert "topic" not in request_to(FCM, topic=None).headers


@pytest.mark.parametrize(("ttl_seconds", "policy"), [(0, "no-cache"), (60, "cache")])
def test_windows_is_told_whether_to_keep_a_message_and_nobody_else_is(ttl_seconds: int, policy: str) -> None:
    windows = request_to("https://wns2-am3p.notify.windows.com", ttl_seconds=ttl_seconds)
    assert policy == windows.headers["x-wns-cache-policy"]
    assert "x-wns-cache-policy" not in request_to(FCM, ttl_seconds=ttl_seconds).headers


@pytest.mark.parametrize(
    "changes",
    [
        {"ttl_seconds": -1},
        {"ttl_seconds": 31 * 86400},
        {"urgency": "urgent"},
        {"urgency": "normal\r\nHost: evil.example"},
        {"topic": ""},
        {"topic": "x" * 33},
        {"topic": "a\r\nHost: evil.example"},
        {"topic": "ä"},
    ],
)
def test_headers_that_no_standard_knows_are_not_sent(changes: dict[str, Any]) -> None:
    with pytest.raises(PushRefused) as refused:
        request_to(FCM, **changes)
    assert "bad_message" == refused.value.reason


def test_a_message_does_not_show_its_secrets_when_printed() -> None:
    message = message_to({"endpoint": f"{FCM}/secret-path", "keys": KEYS.public_keys()}, VAPID)
    shown = repr(message)
    for secret in ("secret-path", message.p256dh, message.auth, "8030"):
        assert secret not in shown
