"""The push service that Firefox's stories rest on refuses what the real one refuses.

A stand-in that took everything would let a broken sender pass.
"""

import time
from collections.abc import Iterator

import pytest
import requests
from aiohttp import ClientSession
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid

from tests.stand_ins.autopush import Autopush
from tests.stand_ins.background import Background
from tests.stand_ins.vapid_check import encode

DAY_SECONDS = 24 * 3600
SUBJECT = "mailto:tests@example.org"
HEADERS = {"TTL": "60", "Content-Encoding": "aes128gcm"}


@pytest.fixture
def vapid() -> Vapid:
    vapid = Vapid()
    vapid.generate_keys()
    return vapid


def public_key(vapid: Vapid) -> str:
    return encode(vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


class Browser:
    """What Firefox says to its push service, by hand: one live subscription and one given up."""

    def __init__(self, background: Background, service: Autopush, key: str) -> None:
        self._url = service.websocket_url
        self.endpoint, self.unsubscribed = background.run(self._subscribe_twice_unsubscribe_once(key))

    async def _subscribe_twice_unsubscribe_once(self, key: str) -> tuple[str, str]:
        async with ClientSession() as session, session.ws_connect(self._url) as socket:

            async def ask(**message: str) -> dict[str, str]:
                await socket.send_json(message)
                return dict(await socket.receive_json())

            await ask(messageType="hello")
            kept = await ask(messageType="register", channelID="kept", key=key)
            given_up = await ask(messageType="register", channelID="given up", key=key)
            await ask(messageType="unregister", channelID="given up")
            return kept["pushEndpoint"], given_up["pushEndpoint"]


@pytest.fixture
def service(background: Background) -> Iterator[Autopush]:
    with Autopush(background) as service:
        yield service


@pytest.fixture
def browser(background: Background, service: Autopush, vapid: Vapid) -> Browser:
    return Browser(background, service, public_key(vapid))


def post(
    endpoint: str,
    vapid: Vapid | None,
    *,
    body: bytes = b"x" * 200,
    headers: dict[str, str] | None = None,
    claims: dict[str, str | int] | None = None,
) -> int:
    """Send a push that is good but for what is given; return the answer's status."""
    sent = HEADERS | (headers or {})
    if vapid:
        origin = "/".join(endpoint.split("/")[:3])
        good: dict[str, str | int] = {"aud": origin, "exp": int(time.time()) + 600, "sub": SUBJECT}
        sent["Authorization"] = vapid.sign(good | (claims or {}))["Authorization"]
    present = {name: value for name, value in sent.items() if value}
    return requests.post(endpoint, data=body, headers=present, timeout=10).status_code


def test_a_good_push_is_accepted(browser: Browser, vapid: Vapid) -> None:
    assert 201 == post(browser.endpoint, vapid, headers={"Topic": "a" * 32, "Urgency": "high"})


def test_a_sender_without_or_with_another_key_is_refused(browser: Browser) -> None:
    stranger = Vapid()
    stranger.generate_keys()
    assert 401 == post(browser.endpoint, None)
    assert 403 == post(browser.endpoint, stranger)


@pytest.mark.parametrize(
    "claim",
    [
        {"aud": "https://updates.push.services.mozilla.com"},
        {"exp": int(time.time()) - 1},
        {"exp": int(time.time()) + DAY_SECONDS + 600},
        {"sub": "mailto:me@localhost"},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(
    browser: Browser, vapid: Vapid, claim: dict[str, str | int]
) -> None:
    assert 403 == post(browser.endpoint, vapid, claims=claim)


@pytest.mark.parametrize(
    "header", [{"TTL": ""}, {"TTL": "soon"}, {"Topic": "a" * 33}, {"Topic": "a+b"}, {"Content-Encoding": ""}]
)
def test_a_malformed_header_is_refused(browser: Browser, vapid: Vapid, header: dict[str, str]) -> None:
    assert 400 == post(browser.endpoint, vapid, headers=header)


def test_a_body_over_4096_bytes_is_refused(browser: Browser, vapid: Vapid) -> None:
    assert 201 == post(browser.endpoint, vapid, body=b"x" * 4096)
    assert 413 == post(browser.endpoint, vapid, body=b"x" * 4097)


def test_an_unknown_endpoint_and_an_unsubscribed_one_answer_differently(
    browser: Browser, service: Autopush, vapid: Vapid
) -> None:
    assert 404 == post(f"{service.origin}/wpush/v2/unknown", vapid)
    assert 410 == post(browser.unsubscribed, vapid)
