"""A user's browsers: subscribing, naming, testing and removing them; and never somebody else's."""

import base64
import hashlib
import json
import os
import uuid
from typing import Any

import pytest

from taskbell.push import Vapid
from tests.database.story import SHOWN_OF_A_BROWSER
from tests.functions.api.stage import ENDPOINT, Stage, base64url, reason
from tests.stand_ins.push_service import Behaviour, PushService

PATH = "/v1/subscriptions"


def test_a_browser_subscribes_and_finds_itself_by_the_hash_of_its_endpoint(stage: Stage) -> None:
    _, browser = stage.someone()
    asked = stage.subscription(name="Firefox on Linux")
    made = browser.put(PATH, json=asked)
    assert made.status_code == 200
    assert hashlib.sha256(asked["endpoint"].encode()).hexdigest() == made.json()["endpoint_hash"]
    assert (made.json()["name"], made.json()["last_shown_at"]) == ("Firefox on Linux", None)
    assert {"subscriptions": [made.json()]} == browser.get(PATH).json()


def test_neither_endpoint_nor_keys_ever_come_back(stage: Stage) -> None:
    _, browser = stage.someone()
    asked = stage.subscription()
    made = browser.put(PATH, json=asked)
    renamed = browser.patch(f"{PATH}/{made.json()['id']}", json={"name": "Phone"})
    for answer in (made, renamed, browser.get(PATH)):
        for secret in (asked["endpoint"], asked["keys"]["p256dh"], asked["keys"]["auth"], "mozilla"):
            assert secret not in answer.text
    assert SHOWN_OF_A_BROWSER == set(made.json()) == set(renamed.json())


def test_subscribing_again_renews_and_makes_no_second_one(stage: Stage) -> None:
    _, browser = stage.someone()
    asked = stage.subscription()
    first, second = (browser.put(PATH, json=asked | {"name": name}).json() for name in ("Old", "New"))
    assert (first["id"], "New") == (second["id"], second["name"])
    assert [second] == browser.get(PATH).json()["subscriptions"]


def test_keys_with_padding_are_the_same_keys(stage: Stage) -> None:
    _, browser = stage.someone()
    asked = stage.subscription()
    asked["keys"] = {name: key + "=" * (-len(key) % 4) for name, key in asked["keys"].items()}
    assert browser.put(PATH, json=asked).status_code == 200


def test_a_subscription_is_renamed_and_removed(stage: Stage) -> None:
    _, browser = stage.someone()
    one = f"{PATH}/{browser.put(PATH, json=stage.subscription()).json()['id']}"
    assert browser.patch(one, json={"name": "Küche 📱"}).json()["name"] == "Küche 📱"
    for _ in range(2):  # the second time as if the first answer had been lost
        removed = browser.delete(one)
        assert (204, b"") == (removed.status_code, removed.content)
    assert browser.get(PATH).json() == {"subscriptions": []}


def test_nobody_sees_or_touches_anothers_subscription(stage: Stage) -> None:
    _, ada = stage.someone()
    _, grace = stage.someone()
    mine = ada.put(PATH, json=stage.subscription()).json()
    one = f"{PATH}/{mine['id']}"
    assert grace.get(PATH).json() == {"subscriptions": []}
    for refused in (grace.patch(one, json={"name": "Mine now"}), grace.post(one + "/test")):
        assert reason(refused) == (404, "unknown_subscription")
    assert 204 == grace.delete(one).status_code
    assert [mine] == ada.get(PATH).json()["subscriptions"]


def test_an_endpoint_moves_to_whoever_subscribes_with_it(stage: Stage) -> None:
    """Two people share a browser: the one who signed in last gets its notifications, the other none."""
    _, ada = stage.someone()
    _, grace = stage.someone()
    asked = stage.subscription()
    before = ada.put(PATH, json=asked).json()
    after = grace.put(PATH, json=asked | {"name": "Shared"}).json()
    assert ada.get(PATH).json() == {"subscriptions": []}
    assert [after] == grace.get(PATH).json()["subscriptions"]
    for not_adas in (before, after):
        assert 204 == ada.delete(f"{PATH}/{not_adas['id']}").status_code
    assert [after] == grace.get(PATH).json()["subscriptions"]


def test_twenty_browsers_are_enough_for_one_person(stage: Stage) -> None:
    _, browser = stage.someone()
    kept = [stage.subscription() for _ in range(20)]
    assert [browser.put(PATH, json=one).status_code for one in kept] == [200] * 20
    assert reason(browser.put(PATH, json=stage.subscription())) == (409, "too_many_subscriptions")
    assert browser.put(PATH, json=kept[0]).status_code == 200
    first = browser.get(PATH).json()["subscriptions"][0]
    assert browser.delete(f"{PATH}/{first['id']}").status_code == 204
    assert browser.put(PATH, json=stage.subscription()).status_code == 200
    assert len(browser.get(PATH).json()["subscriptions"]) == 20


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://example.com/push",
        "http://updates.push.services.mozilla.com/wpush/v2/x",
        "https://updates.push.services.mozilla.com.evil.example/x",
        "https://evil.example/updates.push.services.mozilla.com",
        "https://user:secret@updates.push.services.mozilla.com/x",
        "https://updates.push.services.mozilla.com:8443/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/computeMetadata/v1/",
        "https://updates.push.services.mozilla.com\\@evil.example/x",
        "javascript:alert(1)",
        "nonsense",
    ],
)
def test_an_endpoint_elsewhere_is_refused_and_not_repeated(stage: Stage, endpoint: str) -> None:
    _, browser = stage.someone()
    refused = browser.put(PATH, json=stage.subscription(endpoint=endpoint))
    assert reason(refused) == (422, "endpoint_not_allowed")
    assert endpoint not in refused.text
    assert browser.get(PATH).json() == {"subscriptions": []}


@pytest.mark.parametrize(
    "keys",
    [
        {"p256dh": base64url(b"\4" + bytes(64))},
        {"p256dh": base64url(os.urandom(65))},
        {"p256dh": base64url(b"\4" + os.urandom(32))},
        {"auth": base64url(os.urandom(15))},
        {"auth": base64url(os.urandom(17))},
    ],
    ids=["off the curve", "no point", "half a point", "15 bytes", "17 bytes"],
)
def test_keys_that_cannot_decrypt_are_refused(stage: Stage, keys: dict[str, str]) -> None:
    _, browser = stage.someone()
    asked = stage.subscription()
    asked["keys"] |= keys
    assert reason(browser.put(PATH, json=asked)) == (422, "bad_keys")


def test_a_key_of_another_server_is_refused_and_an_older_one_of_ours_is_not(stage: Stage) -> None:
    _, browser = stage.someone()
    older = Vapid(stage.settings.vapid_private_keys[:1], "mailto:a@example.com").public_key
    assert older != stage.vapid.public_key
    assert browser.put(PATH, json=stage.subscription(vapid_public_key=older)).status_code == 200
    other = stage.subscription()["keys"]["p256dh"]
    refused = browser.put(PATH, json=stage.subscription(vapid_public_key=other))
    assert reason(refused) == (422, "unknown_vapid_key")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"name": "two\nlines"},
        {"name": "nul\x00"},
        {"name": 7},
        {"name": None},
        {"keys": {}},
        {"keys": None},
        {"keys": {"p256dh": "*", "auth": "*"}},
        {"endpoint": ""},
        {"endpoint": ENDPOINT + "x" * 2048},
        {"endpoint": ENDPOINT + "ü"},
        {"endpoint": [ENDPOINT]},
        {"vapid_public_key": ""},
    ],
    ids=str,
)
def test_another_shape_is_refused(stage: Stage, changes: dict[str, Any]) -> None:
    _, browser = stage.someone()
    assert reason(browser.put(PATH, json=stage.subscription(**changes))) == (422, "bad_body")
    assert browser.get(PATH).json() == {"subscriptions": []}


def test_unknown_keys_are_ignored(stage: Stage) -> None:
    _, browser = stage.someone()
    asked = stage.subscription(expirationTime=None, user_id=str(uuid.uuid4()), id=1)
    assert browser.put(PATH, json=asked).status_code == 200


def test_a_subscription_id_that_is_none_is_unknown(stage: Stage) -> None:
    _, browser = stage.someone()
    for id_ in ("1", "me", str(uuid.uuid4()), "00000000-0000-0000-0000-00000000000g"):
        assert reason(browser.patch(f"{PATH}/{id_}", json={"name": "Phone"})) == (404, "unknown_subscription")
    assert reason(browser.delete(f"{PATH}/me")) == (404, "unknown_subscription")


def test_a_test_rings_this_browser_and_tells_what_the_push_service_said(
    stage: Stage, push_service: PushService
) -> None:
    _, browser = stage.someone()
    device = push_service.new_subscription()
    made = browser.put(PATH, json=stage.subscription(**device)).json()
    seen = len(push_service.received)
    answer = browser.post(f"{PATH}/{made['id']}/test")
    assert answer.json() == {"outcome": "accepted", "status_code": 201, "reason": None}
    push = push_service.wait_for(seen + 1)[-1]
    assert push.endpoint == device["endpoint"]
    assert push.payload is not None
    assert json.loads(push.payload)["notification"]["data"]["kind"] == "test"
    assert browser.get(PATH).json()["subscriptions"][0]["last_accepted_at"] is not None


def test_a_test_to_a_browser_that_is_gone_says_so(stage: Stage, push_service: PushService) -> None:
    _, browser = stage.someone()
    device = push_service.new_subscription(Behaviour(status=410))
    made = browser.put(PATH, json=stage.subscription(**device)).json()
    answer = browser.post(f"{PATH}/{made['id']}/test").json()
    assert (answer["outcome"], answer["status_code"]) == ("gone", 410)
    assert browser.get(PATH).json()["subscriptions"][0]["retired_at"] is not None
    assert reason(browser.post(f"{PATH}/{made['id']}/test")) == (404, "unknown_subscription")


def test_a_receipt_for_a_test_verifies_the_browser(stage: Stage, push_service: PushService) -> None:
    _, browser = stage.someone()
    made = browser.put(PATH, json=stage.subscription(**push_service.new_subscription())).json()
    seen = len(push_service.received)
    browser.post(f"{PATH}/{made['id']}/test")
    push = push_service.wait_for(seen + 1)[-1]
    token = json.loads(push.payload or b"")["notification"]["data"]["receipt"]
    worker = stage.browser()  # no session
    assert worker.post("/v1/receipts", json={"token": token, "event": "shown"}).status_code == 204
    shown = browser.get(PATH).json()["subscriptions"][0]
    assert shown["verified_at"] is not None
    assert shown["verified_at"] == shown["last_shown_at"]


def test_base64_in_the_standard_alphabet_is_not_base64url(stage: Stage) -> None:
    _, browser = stage.someone()
    asked = stage.subscription()
    asked["keys"]["auth"] = base64.b64encode(b"\xff" * 16).decode()
    assert reason(browser.put(PATH, json=asked)) == (422, "bad_body")
