"""Whom the sweep believes besides signatures: one scheduler, by a token that its issuer signed.

The issuer is a stand-in that signs with RSA as Google does, and is asked for its keys over real HTTP.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jwt import PyJWK

from taskbell.app import Application
from taskbell.errors import SettingsError, Unauthorized
from taskbell.intake.scheduler import GOOGLE, LEEWAY_SECONDS, Scheduler
from tests.database.database import Database
from tests.functions.bell import post, settings_for, signed
from tests.stand_ins.issuer import Issuer, SigningKey

ACCOUNT = "taskbell-scheduler@bell-project.iam.gserviceaccount.com"
AUDIENCE = "https://bell.example/sweep"


@pytest.fixture(scope="module")
def google() -> Iterator[Issuer]:
    with Issuer() as issuer:
        issuer.key = SigningKey("google-1", "RS256")
        issuer.published = [issuer.key.public_jwk()]
        yield issuer


@pytest.fixture
def application(database: Database, google: Issuer) -> Iterator[Application]:
    settings = settings_for(database.url, "https://push.example", SWEEP_CALLER=ACCOUNT)
    application = Application(settings, scheduler_issuer=(GOOGLE, google.jwks_url))
    yield application
    application.close()


def claims(**changes: Any) -> dict[str, Any]:
    """Return what Google puts into the token of a service account."""
    now = int(time.time())
    usual = {
        "iss": GOOGLE,
        "aud": AUDIENCE,
        "azp": "112233",
        "sub": "112233",
        "email": ACCOUNT,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def call(application: Application, authorization: str, **headers: str) -> tuple[int, Any]:
    """Call the sweep as Cloud Scheduler does: a POST with an empty body and a token."""
    response = application.sweep(post(b"", {"authorization": authorization, **headers}, path="/sweep"))
    body = response.get_json()
    return response.status_code, body["error"]["reason"] if "error" in body else body


def test_the_scheduler_is_believed_by_its_token_alone(application: Application, google: Issuer) -> None:
    status, body = call(application, f"Bearer {google.key.sign(claims())}")
    assert (status, body["dispatched"]["accepted"]) == (200, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://bell.example"},
        {"aud": "https://other.example/sweep"},
        {"aud": [AUDIENCE, "https://other.example"]},
        {"aud": None},
        {"email": "somebody@bell-project.iam.gserviceaccount.com"},
        {"email": ACCOUNT.upper()},
        {"email": None},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"iss": "https://accounts.google.com.example"},
        {"iss": None},
        {"exp": None},
        {"exp": "never"},
        {"exp": [2**40]},
        {"exp": float("nan")},
        {"iat": True},
        pytest.param({"iat": int(time.time()) + 3600}, id="made in an hour"),
        pytest.param({"nbf": int(time.time()) + 3600}, id="begins in an hour"),
    ],
    ids=str,
)
def test_a_token_for_something_else_is_refused(
    application: Application, google: Issuer, changes: dict[str, Any]
) -> None:
    assert call(application, f"Bearer {google.key.sign(claims(**changes))}") == (401, "bad_token")


def test_an_expired_token_is_refused_and_says_so(application: Application, google: Issuer) -> None:
    token = google.key.sign(claims(exp=int(time.time() - LEEWAY_SECONDS) - 1))
    assert call(application, f"Bearer {token}") == (401, "expired_token")


def test_a_token_without_a_signature_is_never_believed(application: Application) -> None:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    for algorithm, signature, reason in (
        ("RS256", "SIGNATURE_REMOVED_BY_GOOGLE", "unsigned_token"),
        ("RS256", "", "bad_token"),
        ("none", "", "bad_token"),
    ):
        header = part({"alg": algorithm, "typ": "JWT", "kid": "google-1"})
        forged = f"Bearer {header}.{part(claims())}.{signature}"
        assert call(application, forged) == (401, reason)


def test_another_key_under_the_same_name_is_refused(application: Application) -> None:
    for forger in (SigningKey("google-1", "RS256"), SigningKey("google-1"), SigningKey("unknown", "RS256")):
        assert call(application, f"Bearer {forger.sign(claims())}") == (401, "bad_token")


def test_a_key_of_another_kind_is_refused_even_if_it_is_published(
    application: Application, google: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = SigningKey("curve")
    monkeypatch.setattr(google, "published", [*google.published, curve.public_jwk()])
    assert call(application, f"Bearer {curve.sign(claims())}") == (401, "bad_token")


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer é", "Bearer " + "x" * 9000]
)
def test_nonsense_is_refused(application: Application, authorization: str) -> None:
    assert call(application, authorization) == (401, "bad_token")


def test_where_the_keys_cannot_be_had_it_says_try_again(
    application: Application, google: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google, "failing", True)
    assert call(application, f"Bearer {google.key.sign(claims())}") == (503, "keys_unavailable")


def test_a_signature_is_still_good_and_a_wrong_one_is_not_helped_by_a_token(
    application: Application, google: Issuer
) -> None:
    token = f"Bearer {google.key.sign(claims())}"
    assert application.sweep(post(b"", signed(b""), path="/sweep")).status_code == 200
    assert call(application, "Bearer whatever", **signed(b""))[0] == 200
    wrong = {**signed(b""), "webhook-signature": "v1,AAAA"}
    assert call(application, token, **wrong) == (401, "bad_signature")
    assert call(application, token, **{"x-taskbell-secret": "whsec_wrong"}) == (401, "bad_signature")


def test_the_webhook_believes_no_token(application: Application, google: Issuer) -> None:
    headers = {"authorization": f"Bearer {google.key.sign(claims())}"}
    response = application.webhook(post(b'{"type":"taskbell.wakeup"}', headers))
    assert (response.status_code, response.get_json()["error"]["reason"]) == (401, "no_signature")


def test_where_no_scheduler_is_named_no_token_is_believed(database: Database, google: Issuer) -> None:
    settings = settings_for(database.url, "https://push.example")
    application = Application(settings, scheduler_issuer=(GOOGLE, google.jwks_url))
    try:
        assert call(application, f"Bearer {google.key.sign(claims())}") == (401, "no_signature")
    finally:
        application.close()


def test_a_caller_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(SettingsError, match=r"^SWEEP_CALLER is no e-mail address: "):
        settings_for("postgresql://x", "https://push.example", SWEEP_CALLER="taskbell-scheduler")


def test_a_token_is_good_until_its_end_and_the_leeway(google: Issuer) -> None:
    clock = [time.time()]
    key = google.key
    scheduler = Scheduler(ACCOUNT, AUDIENCE, {"google-1": PyJWK(key.public_jwk())}.get, now=lambda: clock[0])
    token = f"Bearer {key.sign(claims(exp=int(clock[0]) + 60))}"
    scheduler.verify(token)
    clock[0] = int(clock[0]) + 60 + LEEWAY_SECONDS - 1
    scheduler.verify(token)
    clock[0] += 2
    with pytest.raises(Unauthorized, match="has expired"):
        scheduler.verify(token)
