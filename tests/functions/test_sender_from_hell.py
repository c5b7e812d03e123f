"""Whatever a push service or the network does becomes a response, in time, and other messages go out."""

import time
from collections.abc import Iterator

import pytest

from taskbell.push import PushResponse, Sender
from tests.stand_ins.push_messages import message_to, new_vapid, sender_to
from tests.stand_ins.push_service import Behaviour, PushService

BUDGET_SECONDS = 2  # for what uses it up; a busy machine must get six good messages through in that time
AMPLE_SECONDS = 20
LATE_SECONDS = 30  # longer than ample; as is what comes drop by drop
MEGABYTES = b"x" * 10_000_000
NEIGHBOURS = 6
VAPID = new_vapid()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param({}, id="HTTP2"),
        pytest.param({"http2": False}, id="HTTP1-TLS"),
        pytest.param({"tls": False}, id="HTTP1"),
    ],
)
def service(request: pytest.FixtureRequest) -> Iterator[PushService]:
    with PushService(**request.param) as running:
        yield running


@pytest.fixture(scope="module")
def sender(service: PushService) -> Iterator[Sender]:
    with sender_to(VAPID, service) as running:
        message = message_to(service.new_subscription(), VAPID)
        assert running.send([message], budget_seconds=AMPLE_SECONDS)[0].status_code == 201
        yield running


def answer(status_code: int, **fields: str) -> PushResponse:
    return PushResponse(status_code, **fields)  # type: ignore[arg-type]


def no_answer(error: str) -> PushResponse:
    return PushResponse(None, error=error)


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
APPLE_JSON = b'{"reason":"BadWebPushTopic"}'
MOZILLA_JSON = b'{"code":503,"errno":201,"error":"Service Unavailable"}'
HELL = {
    "200": (Behaviour(200), answer(200)),
    "201": (Behaviour(201), answer(201)),
    "202": (Behaviour(202), answer(202)),
    "400 with a reason": (Behaviour(400, body=APPLE_JSON), answer(400, service_reason="BadWebPushTopic")),
    "401": (Behaviour(401), answer(401)),
    "403": (Behaviour(403), answer(403)),
    "404": (Behaviour(404), answer(404)),
    "410": (Behaviour(410), answer(410)),
    "413": (Behaviour(413), answer(413)),
    "406 of Windows": (
        Behaviour(406, {"x-wns-status": "channelthrottled", "x-wns-error-description": "Throttled"}),
        answer(406, wns_status="channelthrottled", service_reason="Throttled"),
    ),
    "429 with seconds": (Behaviour(429, {"retry-after": "120"}), answer(429, retry_after="120")),
    "429 with a date": (Behaviour(429, {"retry-after": DATE}), answer(429, retry_after=DATE)),
    "429 with rubbish": (Behaviour(429, {"retry-after": "soon ☺"}), answer(429, retry_after="soon â\x98º")),
    "429 without": (Behaviour(429), answer(429)),
    "500": (Behaviour(500), answer(500)),
    "503 of Mozilla": (
        Behaviour(503, {"retry-after": "5"}, MOZILLA_JSON),
        answer(503, retry_after="5", service_reason="errno 201"),
    ),
    "a reason that is none": (Behaviour(400, body=b'{"reason":["a"],"errno":"x"}'), answer(400)),
    "a reason that could be a secret": (
        Behaviour(400, body=b'{"reason":"token BJxJ3WBd-_0 bad"}'),
        answer(400),
    ),
    "a body that is no JSON": (Behaviour(400, body=b"<html>\xff\0"), answer(400)),
    "redirect inside": (Behaviour(301, {"location": "http://169.254.169.254/latest"}), answer(301)),
    "redirect to a path": (Behaviour(307, {"location": "/push/other"}), answer(307)),
    "slow": (Behaviour(201, delay_seconds=0.2), answer(201)),
    "10 MB after 201": (Behaviour(201, body=MEGABYTES), answer(201)),
    "10 MB after 500": (Behaviour(500, body=MEGABYTES), answer(500)),
    "201, then drop by drop": (Behaviour(201, body=b"x" * 1000, fault="drip"), answer(201)),
    "503, then drop by drop": (
        Behaviour(503, {"retry-after": "9"}, b"x" * 1000, fault="drip"),
        answer(503, retry_after="9"),
    ),
    "cut off after 410": (Behaviour(410, body=b"x" * 200, fault="half_close"), answer(410)),
    "silence": (Behaviour(fault="silence"), no_answer("timeout")),
    "too slow": (Behaviour(201, delay_seconds=LATE_SECONDS), no_answer("timeout")),
    "reset": (Behaviour(fault="reset"), no_answer("reset")),
    "reset once": ((Behaviour(fault="reset"), Behaviour(201)), answer(201)),
    "going away": (Behaviour(201, fault="goaway"), answer(201)),
}


@pytest.mark.parametrize("name", HELL)
def test_every_answer_is_understood_and_the_others_are_not_held_up(
    service: PushService, sender: Sender, name: str
) -> None:
    behaviour, expected = HELL[name]
    script = behaviour if isinstance(behaviour, tuple) else (behaviour,)
    bad = message_to(service.new_subscription(*script), VAPID)
    good = [message_to(service.new_subscription(), VAPID) for _ in range(NEIGHBOURS)]
    endless = "drop by drop" in name or expected.error == "timeout"
    budget_seconds = BUDGET_SECONDS if endless else AMPLE_SECONDS
    started_at = time.monotonic()
    responses = sender.send([good[0], bad, *good[1:]], budget_seconds=budget_seconds)
    assert time.monotonic() - started_at < AMPLE_SECONDS
    assert told(expected) == told(responses.pop(1))
    assert [201] * NEIGHBOURS == [response.status_code for response in responses]
    assert max(response.elapsed_seconds for response in responses) < budget_seconds - 0.1


def told(response: PushResponse) -> tuple[object, ...]:
    """Return what was told, without how long it took."""
    fields = ("status_code", "error", "retry_after", "wns_status", "service_reason")
    return tuple(getattr(response, field) for field in fields)
