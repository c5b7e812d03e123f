"""Anything at all, sent to every route: no 5xx, documented refusals only, and nothing stored with them.

`API_FUZZ_REQUESTS` sets how many requests are made (400 by default).
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from taskbell.api.rate_limit import RateLimit
from taskbell.notify.receipt import receipt_token
from tests.database.pool import DatabasePool
from tests.functions.api.conftest import WEBHOOK_SECRET, staged
from tests.functions.api.stage import Stage
from tests.stand_ins.issuer import Issuer
from tests.stand_ins.push_service import PushService

REQUESTS = int(os.environ.get("API_FUZZ_REQUESTS", "400"))
KEYS = [
    *("endpoint", "keys", "p256dh", "auth", "vapid_public_key", "name", "contact_id", "agent_id"),
    *("instructions", "status", "kinds", "agents", "muted_contacts", "quiet_hours", "from", "until"),
    *("time_zone", "language", "digest", "token", "event", "at", "failed"),
]


@dataclass(repr=False)
class Target:
    """A stage of its own, somebody signed in there, and what the tables held last."""

    stage: Stage
    token: str
    known: dict[str, list[str]]
    bodies: dict[str, Any]
    stored: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request past the network; see that the answer is documented and a refusal stored nothing."""
        # As a server would hand it over; the test client itself cannot read every path.
        received = {"PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "RAW_URI": path}
        response = self.stage.app.test_client().open(
            "/", method=method, environ_overrides=received, **options
        )
        refused = response.status_code >= 400
        assert response.status_code < 500, (method, path, response.text)
        assert not response.data or response.json is not None
        if refused and method != "HEAD":
            assert set(response.json or {}) == {"error"}
            assert "Traceback" not in response.text
        if method not in {"GET", "HEAD", "OPTIONS"}:
            stored = self.stage.rows.everything()
            assert not refused or stored == self.stored
            self.stored = stored
        return response


@pytest.fixture(scope="module")
def target(database_pool: DatabasePool, issuer: Issuer, push_service: PushService) -> Iterator[Target]:
    endless = RateLimit(burst=1e12, per_second=1e12)
    with (
        database_pool.database() as database,
        staged(database, issuer, push_service, users=endless, addresses=endless) as stage,
    ):
        yield make_target(stage, push_service)


def make_target(stage: Stage, push_service: PushService) -> Target:
    """Give somebody one of everything, so that some guesses hit."""
    user_id, browser = stage.someone()
    contact, agent = stage.rows.contact(user_id), stage.rows.agent()
    task = stage.rows.task(user_id, contact, agent, status="failed")
    draft = stage.rows.draft(user_id, contact, agent)
    subscription = stage.subscription(**push_service.new_subscription())
    made = browser.put("/v1/subscriptions", json=subscription).json()
    stage.dispatch()
    known = {
        "contact_id": [contact],
        "task_id": [task],
        "draft_id": [draft],
        "subscription_id": [made["id"]],
    }
    bodies = {
        "/v1/subscriptions": subscription,
        "/v1/subscriptions/{subscription_id}": {"name": "Phone"},
        "/v1/tasks": {"contact_id": contact, "agent_id": agent, "instructions": "Be brief"},
        "/v1/drafts/{draft_id}/review": {"status": "approved"},
        "/v1/preferences": browser.get("/v1/preferences").json(),
        "/v1/receipts": {"token": receipt_token(1, [WEBHOOK_SECRET]), "event": "shown"},
    }
    # Ten years, so that a long run does not end with refusals only.
    token = stage.issuer.token(user_id, exp=2_100_000_000)
    return Target(stage, token, known, bodies, stored=stage.rows.everything())


text = st.text(max_size=40) | st.sampled_from(["", "\x00", "\ud800", "'", "null", "%", "\u2028", "🔔"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
    | st.sampled_from(["approved", "shown", "22:00", "Europe/Berlin", "de"])
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | text, inner, max_size=5)
    ),
    max_leaves=12,
)
ids = st.uuids().map(str) | st.integers().map(str) | text | st.text(min_size=190, max_size=210)


@st.composite
def mutated(draw: st.DrawFn, body: Any) -> Any:
    """Return a good body, or one in which a part was replaced, removed or added."""
    if not isinstance(body, dict) or draw(st.booleans()):
        return draw(st.just(body) | anything)
    changed = dict(body)
    key = draw(st.sampled_from(sorted(changed) or ["x"]) | st.sampled_from(KEYS))
    if draw(st.booleans()):
        changed[key] = draw(mutated(changed.get(key)))
    else:
        changed.pop(key, None)
    return changed


def bodies(good: Any) -> st.SearchStrategy[bytes]:
    """Return bodies around a good one, now and then of no shape at all."""
    shaped = mutated(good).map(lambda body: json.dumps(body).encode())
    return st.one_of(*[shaped] * 9, st.binary(max_size=200))


@pytest.mark.slow
@settings(
    max_examples=REQUESTS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_is_asked_of_any_route(target: Target, data: st.DataObject) -> None:
    document = target.stage.documented.document
    routes = [(path, method) for path, operations in document["paths"].items() for method in operations]
    path, method = data.draw(st.sampled_from(routes))
    operation = document["paths"][path][method]

    def fill(match: re.Match[str]) -> str:
        # Nothing that is known is deleted: the others need it.
        return quoted(data.draw(ids if method == "delete" else ids | st.sampled_from(target.known[match[1]])))

    address = re.sub(r"{(\w+)}", fill, path)
    headers = {"Authorization": f"Bearer {target.token}"}
    if data.draw(st.integers(0, 9)) == 0:
        headers["Authorization"] = latin1(data.draw(text))
    if data.draw(st.booleans()):
        headers["If-None-Match"] = latin1(data.draw(st.sampled_from(['"v0"', "*", 'W/"v1"']) | text))
        headers["Prefer"] = latin1(data.draw(st.sampled_from(["wait=0", "respond-async"]) | text))
    body = b""
    if "requestBody" in operation or data.draw(st.integers(0, 9)) == 0:
        body = data.draw(bodies(target.bodies.get(path)))
    response = target.send(method.upper(), address, data=body, headers=headers)
    if response.status_code not in {404, 405}:
        described = operation["responses"][str(response.status_code)]
        if response.status_code >= 400:
            assert (response.json or {})["error"]["reason"] in json.dumps(described)


@pytest.mark.slow
@settings(max_examples=REQUESTS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"]),
    path=st.text(max_size=60)
    | st.lists(st.sampled_from(["v1", "inbox", "..", "", "%2e", "contacts"])).map("/".join),
    body=st.binary(max_size=300),
)
def test_whatever_is_asked_elsewhere(target: Target, method: str, path: str, body: bytes) -> None:
    target.send(method, "/" + quoted(path, safe="/"), data=body)


def quoted(text: str, safe: str = "") -> str:
    """Percent-encode as a client might, lone surrogates and all."""
    return "".join(
        character
        if character.isascii() and (character.isalnum() or character in "-_." + safe)
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        for character in text
    )


def latin1(text: str) -> str:
    """Return what of a text can stand in a header."""
    return "".join(one for one in text if " " <= one <= "ÿ" and one != "\x7f")


def test_good_requests_pass_through_the_same_door(target: Target) -> None:
    """Every route can be reached with what the fuzz starts from: it does more than knock."""
    target.stage.rows.execute("update agent_tasks set status = 'failed'")
    target.stored = target.stage.rows.everything()
    headers = {"Authorization": f"Bearer {target.token}"}
    known = {name: ids[0] for name, ids in target.known.items()}
    for path, operations in target.stage.documented.document["paths"].items():
        for method in operations:
            address = path.format(**(known if method != "delete" else dict.fromkeys(known, "x")))
            body = target.bodies.get(path) if "requestBody" in operations[method] else None
            response = target.send(method.upper(), address, json=body, headers=headers)
            assert response.status_code in {200, 201, 204} or method == "delete", (
                method,
                path,
                response.text,
            )
