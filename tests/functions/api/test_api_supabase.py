"""The API through Supabase's own client: users' tokens travel on, and are judged a second time there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import flask
import pytest

from taskbell.api import build_api
from taskbell.gateway.supabase import SupabaseGateway
from taskbell.push import AllowedOrigins
from tests.functions.api.stage import Stage
from tests.stand_ins.issuer import Issuer, SigningKey
from tests.stand_ins.postgrest import PostgREST


@dataclass
class Deployed:
    """An API that reaches the stage's database over REST, and the REST interface itself."""

    stage: Stage
    app: flask.Flask
    rest: PostgREST

    def get(self, path: str, token: str) -> tuple[int, object]:
        """Ask with a token; returns the status and the body."""
        answer = self.app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.json

    def reason(self, path: str, token: str) -> tuple[int, str]:
        """Ask with a token that is refused; returns the status and the reason."""
        status, body = self.get(path, token)
        assert isinstance(body, dict)
        return status, body["error"]["reason"]


@pytest.fixture
def deploy(stage: Stage, issuer: Issuer) -> Iterator[Callable[..., Deployed]]:
    """Deploy onto a REST interface that verifies with the issuer's key, or with another."""
    opened: list[tuple[PostgREST, SupabaseGateway]] = []

    def build(key: SigningKey | None = None) -> Deployed:
        rest = PostgREST(
            stage.settings.database_url or "",
            secret_key="sb_secret_test",
            publishable_key="sb_publishable_test",
            verify_key=(key or issuer.key).private.public_key(),
        ).__enter__()
        gateway = SupabaseGateway(rest.url, rest.secret_key)
        opened.append((rest, gateway))
        app = build_api(
            replace(stage.settings, database_url=None),
            gateway,
            vapid=stage.vapid,
            allowed_origins=AllowedOrigins(()),
            ring_test=lambda *_: None,
            verify_receipt=lambda _: None,
        )
        return Deployed(stage, app, rest)

    yield build
    for rest, gateway in opened:
        gateway.close()
        rest.__exit__()


def test_a_user_reads_as_that_user(deploy: Callable[..., Deployed]) -> None:
    deployed = deploy()
    user_id, stranger = deployed.stage.rows.user(), deployed.stage.rows.user()
    deployed.stage.rows.contact(user_id, "Ada")
    deployed.stage.rows.contact(stranger, "Grace")
    status, body = deployed.get("/v1/contacts", deployed.stage.issuer.token(user_id))
    assert isinstance(body, dict)
    assert (status, [one["name"] for one in body["contacts"]]) == (200, ["Ada"])


def test_an_anonymous_user_has_what_is_theirs_and_nothing_else(deploy: Callable[..., Deployed]) -> None:
    deployed = deploy()
    nobody = deployed.stage.rows.user()
    deployed.stage.rows.contact(deployed.stage.rows.user(), "Grace")
    token = deployed.stage.issuer.token(nobody, is_anonymous=True)
    status, body = deployed.get("/v1/contacts", token)
    assert isinstance(body, dict)
    assert (status, body["contacts"]) == (200, [])


def test_a_token_that_expires_on_the_way_is_a_401_and_no_fault_of_ours(
    deploy: Callable[..., Deployed],
) -> None:
    """We grant clocks a few seconds that the database's gate may not."""
    deployed = deploy()
    token = deployed.stage.issuer.token(deployed.stage.rows.user(), exp=int(time.time()) - 3)
    assert deployed.reason("/v1/contacts", token) == (401, "expired_token")


def test_a_token_that_only_we_accept_is_a_401_too(deploy: Callable[..., Deployed]) -> None:
    deployed = deploy(SigningKey("another"))
    token = deployed.stage.issuer.token(deployed.stage.rows.user())
    assert deployed.reason("/v1/contacts", token) == (401, "expired_token")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": 1}, "expired_token"),
        ({"iss": "https://evil.example/auth/v1"}, "bad_token"),
        ({"aud": "anon"}, "bad_token"),
        ({"role": "service_role"}, "bad_token"),
        ({"sub": "nobody"}, "bad_token"),
    ],
)
def test_a_bad_token_never_reaches_the_database(
    deploy: Callable[..., Deployed], claims: dict[str, Any], reason: str
) -> None:
    deployed = deploy()
    token = deployed.stage.issuer.token(deployed.stage.rows.user(), **claims)
    assert deployed.reason("/v1/contacts", token) == (401, reason)
    assert deployed.rest.calls == []
