"""Which tokens are believed: those of this project, in time, signed with its own algorithms; no others."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from taskbell.api.auth import LEEWAY_SECONDS, Authenticator
from taskbell.api.jwks import KeySet
from taskbell.api.refusal import Refused
from tests.stand_ins.clock import Clock
from tests.stand_ins.issuer import Issuer, SigningKey

ADA = "0b5f3b0e-7c3a-4f51-9c9b-0d8a36c8a6f1"
NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def authenticator(issuer: Issuer) -> Authenticator:
    return Authenticator(issuer.issuer, KeySet(issuer.jwks_url), now=lambda: NOW)


def refusal(authenticator: Authenticator, authorization: str | None) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        authenticator.user(authorization)
    return caught.value.status_code, caught.value.reason


class Rotating:
    """An authenticator, and an issuer that publishes one key at a time."""

    def __init__(self, issuer: Issuer, key: SigningKey) -> None:
        self._key, self._clock = key, Clock(0.0)
        keys = KeySet("", fetch=lambda _: self._document(), now=self._clock)
        self.authenticator = Authenticator(issuer.issuer, keys, now=lambda: NOW)

    def _document(self) -> bytes:
        return json.dumps({"keys": [self._key.public_jwk()]}).encode()

    def publish(self, key: SigningKey) -> None:
        """Publish another key, and let the ten minutes pass after which keys are fetched again."""
        self._key = key
        self._clock.now += 601


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_of_this_project_names_its_user(issuer: Issuer, authenticator: Authenticator) -> None:
    token = issuer.token(ADA, now=NOW)
    user = authenticator.user(f"Bearer {token}")
    assert (ADA, token, "ada@example.com") == (user.id, user.token, user.claims["email"])


def test_the_scheme_is_read_in_any_case(issuer: Issuer, authenticator: Authenticator) -> None:
    assert authenticator.user(f"bearer  {issuer.token(ADA, now=NOW)} ").id == ADA


def test_an_anonymous_user_is_a_user(issuer: Issuer, authenticator: Authenticator) -> None:
    user = authenticator.user(f"Bearer {issuer.token(ADA, now=NOW, is_anonymous=True, email=None)}")
    assert (user.id, user.claims["is_anonymous"]) == (ADA, True)


def test_a_project_may_sign_with_rsa(issuer: Issuer) -> None:
    key = SigningKey("rsa", "RS256")
    keys = KeySet("", fetch=lambda _: json.dumps({"keys": [key.public_jwk()]}).encode())
    user = Authenticator(issuer.issuer, keys, now=lambda: NOW).user(
        f"Bearer {key.sign(issuer.claims(ADA, now=NOW))}"
    )
    assert user.id == ADA


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "token"])
def test_without_a_bearer_token_it_asks_for_one(authenticator: Authenticator, authorization: str) -> None:
    assert refusal(authenticator, authorization) == (401, "no_token")


def test_an_unsigned_token_is_refused(issuer: Issuer, authenticator: Authenticator) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        header = segment({"alg": algorithm, "typ": "JWT", "kid": issuer.key.key_id})
        token = f"{header}.{segment(issuer.claims(ADA, now=NOW))}."
        assert refusal(authenticator, f"Bearer {token}") == (401, "bad_token")


@pytest.mark.parametrize("form", ["pem", "der", "raw", "jwk"])
def test_the_public_key_as_a_shared_secret_is_refused(
    issuer: Issuer, authenticator: Authenticator, form: str
) -> None:
    public = issuer.key.private.public_key()
    secret = {
        "pem": lambda: public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": lambda: public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "raw": lambda: public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        "jwk": lambda: json.dumps(issuer.key.public_jwk()).encode(),
    }[form]()
    signed = segment({"alg": "HS256", "kid": issuer.key.key_id}) + "." + segment(issuer.claims(ADA, now=NOW))
    mac = hmac.digest(secret, signed.encode(), hashlib.sha256)
    token = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert refusal(authenticator, f"Bearer {token}") == (401, "bad_token")


def test_a_key_verifies_with_its_own_algorithm_only(issuer: Issuer, authenticator: Authenticator) -> None:
    rsa = SigningKey(issuer.key.key_id, "RS256")
    assert refusal(authenticator, f"Bearer {rsa.sign(issuer.claims(ADA, now=NOW))}") == (401, "bad_token")


@pytest.mark.parametrize(
    "header",
    [{"kid": None}, {"kid": 7}, {"kid": "other"}, {"crit": ["exp"]}, {"crit": ["b64"], "b64": True}],
    ids=str,
)
def test_a_header_that_names_no_key_of_ours_is_refused(
    issuer: Issuer, authenticator: Authenticator, header: dict[str, Any]
) -> None:
    text = {"alg": "ES256", "typ": "JWT", "kid": issuer.key.key_id} | header
    text = {name: value for name, value in text.items() if value is not None}
    rest = issuer.token(ADA, now=NOW).partition(".")[2]
    assert refusal(authenticator, f"Bearer {segment(text)}.{rest}") == (401, "bad_token")


def test_extensions_that_must_be_understood_are_refused(issuer: Issuer, authenticator: Authenticator) -> None:
    token = issuer.key.sign(issuer.claims(ADA, now=NOW), crit=["exp"])
    assert refusal(authenticator, f"Bearer {token}") == (401, "bad_token")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.supabase.co/auth/v1"},
        {"iss": None},
        {"aud": "anon"},
        {"aud": []},
        {"aud": None},
        {"role": "service_role"},
        {"role": "anon"},
        {"role": None},
        {"sub": None},
        {"sub": "ada"},
        {"exp": None},
        {"exp": True},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"nbf": NOW + 60},
        {"iat": NOW + 60},
        {"iat": "now"},
    ],
    ids=str,
)
def test_claims_that_are_not_a_signed_in_user_of_this_project_are_refused(
    issuer: Issuer, authenticator: Authenticator, changes: dict[str, Any]
) -> None:
    assert refusal(authenticator, f"Bearer {issuer.token(ADA, now=NOW, **changes)}") == (401, "bad_token")


def test_an_audience_may_be_one_of_several(issuer: Issuer, authenticator: Authenticator) -> None:
    token = issuer.token(ADA, now=NOW, aud=["authenticated", "other"])
    assert authenticator.user(f"Bearer {token}").id == ADA


def test_it_expires_to_the_second(issuer: Issuer, authenticator: Authenticator) -> None:
    edge = NOW - LEEWAY_SECONDS
    assert authenticator.user(f"Bearer {issuer.token(ADA, now=NOW, exp=edge + 1)}").id == ADA
    assert refusal(authenticator, f"Bearer {issuer.token(ADA, now=NOW, exp=edge)}") == (401, "expired_token")


def test_a_token_that_was_believed_before_still_expires(issuer: Issuer) -> None:
    clock = Clock(NOW)
    authenticator = Authenticator(issuer.issuer, KeySet(issuer.jwks_url), now=clock)
    token = f"Bearer {issuer.token(ADA, now=NOW)}"
    assert [ADA, ADA] == [authenticator.user(token).id, authenticator.user(token).id]
    clock.now = NOW + 3600 + LEEWAY_SECONDS
    assert (401, "expired_token") == refusal(authenticator, token)


def test_a_token_that_was_believed_before_is_refused_once_its_key_is_withdrawn(issuer: Issuer) -> None:
    old, new = SigningKey("old"), SigningKey("new")
    rotating = Rotating(issuer, old)
    token = f"Bearer {old.sign(issuer.claims(ADA, now=NOW))}"
    assert [ADA, ADA] == [rotating.authenticator.user(token).id for _ in range(2)]
    rotating.publish(new)
    assert (401, "bad_token") == refusal(rotating.authenticator, token)


def test_a_key_that_was_replaced_under_its_name_verifies_nothing_old(issuer: Issuer) -> None:
    first, second = SigningKey("same"), SigningKey("same")
    rotating = Rotating(issuer, first)
    token = f"Bearer {first.sign(issuer.claims(ADA, now=NOW))}"
    assert ADA == rotating.authenticator.user(token).id
    rotating.publish(second)
    assert (401, "bad_token") == refusal(rotating.authenticator, token)


def test_an_altered_token_is_refused(issuer: Issuer, authenticator: Authenticator) -> None:
    header, claims, signature = issuer.token(ADA, now=NOW).split(".")
    other = segment(issuer.claims(str(uuid.uuid4()), now=NOW))
    for token in (
        f"{header}.{other}.{signature}",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"{header}.{claims}.{signature}.",
        f"{header}.{claims}.{'A' * len(signature)}",
        f"{header}..{signature}",
        "a" * 100_000,
    ):
        assert refusal(authenticator, f"Bearer {token}") == (401, "bad_token")


@given(st.text())
def test_whatever_else_stands_there_is_refused(authenticator: Authenticator, text: str) -> None:
    status, reason = refusal(authenticator, f"Bearer {text}")
    assert (status, reason) in {(401, "bad_token"), (401, "no_token")}


@given(header=st.binary(), claims=st.binary(), signature=st.binary())
def test_three_segments_of_anything_are_refused(
    authenticator: Authenticator, header: bytes, claims: bytes, signature: bytes
) -> None:
    parts = (base64.urlsafe_b64encode(part).decode() for part in (header, claims, signature))
    assert refusal(authenticator, f"Bearer {'.'.join(parts)}") == (401, "bad_token")


@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64", "zip", "jwk", "jku"]),
        st.sampled_from(["ES256", "RS256", "HS256", "none", "first", None, 1, True, [], {}, ["b64"]]),
    )
)
def test_a_signature_under_any_other_header_is_refused(
    issuer: Issuer, authenticator: Authenticator, header: dict[str, Any]
) -> None:
    rest = issuer.token(ADA, now=NOW).partition(".")[2]
    assert refusal(authenticator, f"Bearer {segment(header)}.{rest}") == (401, "bad_token")


def test_a_refusal_says_what_to_do_and_repeats_nothing(issuer: Issuer, authenticator: Authenticator) -> None:
    token = issuer.token(ADA, now=NOW, role="anon")
    with pytest.raises(Refused) as caught:
        authenticator.user(f"Bearer {token}")
    assert token not in str(caught.value)
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer ")
