"""Push services that cannot be reached, trusted or allowed: each holds up itself and nobody else."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from tests.stand_ins.ports import free_port
from tests.stand_ins.push_messages import message_to, messages_to, new_vapid, sender_to
from tests.stand_ins.push_service import Behaviour, PushService

VAPID = new_vapid()
AMPLE_SECONDS = 20  # nothing here comes to the end of it


@pytest.fixture
def mute_origin() -> Iterator[str]:
    """Listen, accept connections and never say a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"https://localhost:{listener.getsockname()[1]}"


@pytest.fixture
def closed_origin() -> str:
    """Find a port where nobody listens."""
    return f"https://localhost:{free_port()}"


@pytest.fixture
def good() -> Iterator[PushService]:
    with PushService() as running:
        yield running


def test_a_push_service_nobody_vouches_for_gets_nothing(good: PushService) -> None:
    with PushService() as imposter, sender_to(VAPID, good, imposter) as sender:
        messages = [message_to(imposter.new_subscription(), VAPID) for _ in range(200)]
        messages.append(message_to(good.new_subscription(), VAPID))
        *refused, accepted = sender.send(messages, budget_seconds=AMPLE_SECONDS)
        assert {"tls_failed"} == {response.error for response in refused}
        assert 201 == accepted.status_code
        assert [] == imposter.received
        # Found out by the first few, not by each.
        assert imposter.connections <= 40


def test_a_port_without_a_push_service_fails_at_once(good: PushService, closed_origin: str) -> None:
    with sender_to(VAPID, good, origins=(closed_origin,)) as sender:
        messages = [*messages_to(VAPID, closed_origin, 300), message_to(good.new_subscription(), VAPID)]
        started_at = time.monotonic()
        *failed, accepted = sender.send(messages, budget_seconds=AMPLE_SECONDS)
        assert time.monotonic() - started_at < AMPLE_SECONDS / 2
    assert {"connection_failed"} == {response.error for response in failed}
    assert 201 == accepted.status_code


def test_a_push_service_that_never_says_a_word_holds_up_only_itself(
    good: PushService, mute_origin: str
) -> None:
    with sender_to(VAPID, good, origins=(mute_origin,)) as sender:
        goods = [message_to(good.new_subscription(), VAPID) for _ in range(50)]
        messages = [*messages_to(VAPID, mute_origin, 500), *goods]
        started_at = time.monotonic()
        responses = sender.send(messages, budget_seconds=AMPLE_SECONDS)
        # After the connection's own time-out of 2 s, not after the budget.
        assert 1.9 < time.monotonic() - started_at < AMPLE_SECONDS / 2
    mute, heard = responses[:500], responses[500:]
    assert {"timeout"} == {response.error for response in mute}
    assert {201} == {response.status_code for response in heard}
    assert max(each.elapsed_seconds for each in heard) < max(each.elapsed_seconds for each in mute)


@pytest.mark.parametrize(
    ("scheme", "greeting", "error"),
    [
        ("https", b"SSH-2.0-OpenSSH_9.2\r\n", "tls_failed"),
        ("http", b"SSH-2.0-OpenSSH_9.2\r\n", "reset"),
        ("https", b"", "tls_failed"),
        ("http", b"", "reset"),
    ],
)
def test_what_speaks_another_protocol_is_an_error_like_any_other(
    scheme: str, greeting: bytes, error: str
) -> None:
    class Greet(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(100)
            self.request.sendall(greeting)

    with socketserver.TCPServer(("127.0.0.1", 0), Greet) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        origin = f"{scheme}://localhost:{server.server_address[1]}"
        with sender_to(VAPID, origins=(origin,)) as sender:
            [response] = sender.send(messages_to(VAPID, origin, 1), budget_seconds=AMPLE_SECONDS)
        server.shutdown()
    assert error == response.error


def test_what_has_not_started_when_the_budget_ends_is_told_apart_from_what_may_have_arrived() -> None:
    with PushService(max_streams=10) as service:
        with sender_to(VAPID, service) as sender:
            slow = Behaviour(201, delay_seconds=30)
            messages = [message_to(service.new_subscription(slow), VAPID) for _ in range(60)]
            started_at = time.monotonic()
            errors = [response.error for response in sender.send(messages, budget_seconds=0.5)]
            assert time.monotonic() - started_at < 15  # half of what they would take
        assert {"timeout", "budget_exhausted"} == set(errors)
        assert len(service.received) <= errors.count("timeout")


def test_without_any_budget_nothing_is_sent(good: PushService) -> None:
    with sender_to(VAPID, good) as sender:
        message = message_to(good.new_subscription(), VAPID)
        assert ["budget_exhausted"] == [r.error for r in sender.send([message], budget_seconds=0)]
        assert ["budget_exhausted"] == [r.error for r in sender.send([message], budget_seconds=-1)]
        assert [201] == [r.status_code for r in sender.send([message], budget_seconds=AMPLE_SECONDS)]
    assert 1 == len(good.received)


def test_any_budget_is_a_budget(good: PushService) -> None:
    with sender_to(VAPID, good) as sender:
        message = message_to(good.new_subscription(), VAPID)
        for budget_seconds in (1e9, float("inf")):
            assert [201] == [r.status_code for r in sender.send([message], budget_seconds=budget_seconds)]


def test_without_authorities_to_trust_nothing_is_sent(good: PushService) -> None:
    with sender_to(VAPID, good, ca_file="/nowhere/authorities.pem") as sender:
        [response] = sender.send([message_to(good.new_subscription(), VAPID)], budget_seconds=AMPLE_SECONDS)
    assert ("tls_failed", []) == (response.error, good.received)


def test_authorities_named_by_the_environment_are_trusted(
    good: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sender_to(VAPID, origins=(good.origin,)) as sender:
        [refused] = sender.send([message_to(good.new_subscription(), VAPID)], budget_seconds=AMPLE_SECONDS)
    monkeypatch.setenv("SSL_CERT_FILE", good.ca_file)
    with sender_to(VAPID, origins=(good.origin,)) as sender:
        [accepted] = sender.send([message_to(good.new_subscription(), VAPID)], budget_seconds=AMPLE_SECONDS)
    assert ("tls_failed", 201) == (refused.error, accepted.status_code)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "10.0.0.1", "169.254.169.254", "2130706433", "0x7f000001"],  # noqa: S104
)
def test_an_added_origin_cannot_lead_to_an_inner_address(good: PushService, host: str) -> None:
    """Judged where libcurl connects: no name or notation gets past, however it is resolved."""
    origin = good.origin.replace("localhost", host)
    with sender_to(VAPID, good, origins=(origin,)) as sender:
        [response] = sender.send(messages_to(VAPID, origin, 1), budget_seconds=AMPLE_SECONDS)
    assert "refused_address" == response.error
    assert 0 == good.connections


def test_a_proxy_of_the_environment_is_not_used(
    good: PushService, closed_origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hide the address that is connected to."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, closed_origin.replace("https", "http"))
    with sender_to(VAPID, good) as sender:
        [response] = sender.send([message_to(good.new_subscription(), VAPID)], budget_seconds=AMPLE_SECONDS)
    assert 201 == response.status_code
