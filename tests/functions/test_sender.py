"""Messages arrive at a push service, readable by their browsers, and the answers come back in order."""

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from taskbell.push import AllowedOrigins, PushMessage, PushResponse, Sender, Vapid
from tests.stand_ins.push_messages import TOPIC, message_to, new_private_key, new_vapid
from tests.stand_ins.push_service import Behaviour, PushService

AMPLE_SECONDS = 20
PROTOCOLS = [
    pytest.param({}, id="HTTP/2"),
    pytest.param({"http2": False}, id="HTTP/1.1 over TLS"),
    pytest.param({"tls": False}, id="plain HTTP/1.1"),
]


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as running:
        yield running


@pytest.fixture
def vapid() -> Vapid:
    return new_vapid()


@pytest.fixture
def sender(service: PushService, vapid: Vapid) -> Iterator[Sender]:
    with Sender(vapid, allowed_origins=AllowedOrigins([service.origin]), ca_file=service.ca_file) as running:
        yield running


def slugs(responses: list[PushResponse]) -> list[int | str | None]:
    return [response.status_code or response.error for response in responses]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_message_arrives_and_can_be_read(protocol: dict[str, Any], vapid: Vapid) -> None:
    with PushService(**protocol) as service:
        allowed = AllowedOrigins([service.origin])
        subscription = service.new_subscription(vapid_public_key=vapid.public_key)
        message = message_to(subscription, vapid, payload="Draft ready for Zoë 🎉".encode())
        with Sender(vapid, allowed_origins=allowed, ca_file=service.ca_file) as sender:
            [response] = sender.send([message], budget_seconds=AMPLE_SECONDS)
        [push] = service.wait_for(1)
    assert (201, None) == (response.status_code, response.error)
    assert (201, "") == (push.status, push.reason)
    assert "Draft ready for Zoë 🎉" == (push.payload or b"").decode()
    assert ("60", "normal", TOPIC) == tuple(push.headers[name] for name in ("ttl", "urgency", "topic"))
    assert 0 < response.elapsed_seconds < AMPLE_SECONDS


def test_a_thousand_messages_share_one_connection(service: PushService, sender: Sender, vapid: Vapid) -> None:
    subscriptions = [service.new_subscription() for _ in range(1000)]
    messages = [
        message_to(subscription, vapid, payload=b"%d" % index)
        for index, subscription in enumerate(subscriptions)
    ]
    responses = sender.send(messages, budget_seconds=30)
    assert [201] * 1000 == slugs(responses)
    payload_by_endpoint = {push.endpoint: push.payload for push in service.received}
    assert [message.payload for message in messages] == [
        payload_by_endpoint[message.endpoint] for message in messages
    ]
    assert {"2"} == {push.http_version for push in service.received}
    assert 1 == service.connections


def test_responses_come_in_the_order_of_the_messages(
    service: PushService, sender: Sender, vapid: Vapid
) -> None:
    delays_and_statuses = [(0.2, 201), (0.0, 404), (0.1, 410), (0.0, 429), (0.15, 503)]
    messages = [
        message_to(service.new_subscription(Behaviour(status, delay_seconds=delay)), vapid)
        for delay, status in delays_and_statuses
    ]
    assert [status for _, status in delays_and_statuses] == slugs(
        sender.send(messages, budget_seconds=AMPLE_SECONDS)
    )


def test_nothing_to_send_is_nothing_to_wait_for(sender: Sender) -> None:
    assert [] == sender.send([], budget_seconds=AMPLE_SECONDS)


def test_what_cannot_be_sent_says_why_and_the_rest_is_sent(
    service: PushService, sender: Sender, vapid: Vapid
) -> None:
    good = message_to(service.new_subscription(), vapid)

    def changed(**changes: Any) -> PushMessage:
        return message_to(service.new_subscription(), vapid, **changes)

    messages = [
        good,
        changed(endpoint="https://169.254.169.254/x"),
        changed(p256dh="AAAA"),
        changed(auth="AAAA"),
        changed(vapid_public_key=new_vapid().public_key),
        changed(payload=b"x" * 3994),
        changed(topic="not a topic"),
        good,
    ]
    assert [
        201,
        "endpoint_not_allowed",
        "bad_subscription",
        "bad_subscription",
        "no_matching_vapid_key",
        "bad_payload",
        "bad_message",
        201,
    ] == slugs(sender.send(messages, budget_seconds=AMPLE_SECONDS))


def test_each_subscription_is_addressed_with_the_key_it_was_made_with(service: PushService) -> None:
    old_key, new_key = new_private_key(), new_private_key()
    old, rotated = new_vapid(old_key), new_vapid(old_key, new_key)
    public_keys = [old.public_key, rotated.public_key]
    with Sender(rotated, allowed_origins=AllowedOrigins([service.origin]), ca_file=service.ca_file) as sender:
        messages = [
            message_to(service.new_subscription(vapid_public_key=key), rotated, vapid_public_key=key)
            for key in public_keys
        ]
        assert [201, 201] == slugs(sender.send(messages, budget_seconds=AMPLE_SECONDS))


def test_a_key_that_the_push_service_does_not_know_is_its_own_refusal(
    service: PushService, sender: Sender, vapid: Vapid
) -> None:
    subscription = service.new_subscription(vapid_public_key=new_vapid().public_key)
    [response] = sender.send([message_to(subscription, vapid)], budget_seconds=AMPLE_SECONDS)
    assert (403, "BadJwtToken") == (response.status_code, response.service_reason)


def test_a_connection_that_the_push_service_closed_meanwhile_costs_no_message(
    service: PushService, sender: Sender, vapid: Vapid
) -> None:
    for _ in range(3):
        closing = message_to(service.new_subscription(Behaviour(201, fault="goaway")), vapid)
        following = message_to(service.new_subscription(), vapid)
        assert [201] == slugs(sender.send([closing], budget_seconds=AMPLE_SECONDS))
        assert [201] == slugs(sender.send([following], budget_seconds=AMPLE_SECONDS))


def test_waiting_for_a_slow_push_service_costs_no_processor_time(
    service: PushService, sender: Sender, vapid: Vapid
) -> None:
    warm, slow = (
        message_to(service.new_subscription(*script), vapid) for script in ([], [Behaviour(fault="silence")])
    )
    sender.send([warm], budget_seconds=AMPLE_SECONDS)
    started_at, cpu_seconds = time.monotonic(), time.process_time()
    assert ["timeout"] == slugs(sender.send([slow], budget_seconds=1))
    assert time.process_time() - cpu_seconds < 0.25
    assert 0.9 < time.monotonic() - started_at < AMPLE_SECONDS


def test_a_fault_of_ours_with_one_message_harms_no_other_and_tells_no_secret(
    service: PushService, sender: Sender, vapid: Vapid, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good = message_to(service.new_subscription(), vapid)
    broken = message_to(service.new_subscription(), vapid, payload=["not", "bytes"])
    assert [201, "internal_error", 201] == slugs(
        sender.send([good, broken, good], budget_seconds=AMPLE_SECONDS)
    )
    assert "push not made: TypeError" in caplog.text
    for secret in (broken.endpoint, broken.p256dh, broken.auth, "not"):
        assert secret not in caplog.text.replace("push not made", "")
