"""VAPID tokens are valid everywhere, reused for an hour, and signed with the key the subscription knows."""

import base64
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from taskbell.push import PushRefused, Vapid
from tests.stand_ins.clock import Clock
from tests.stand_ins.push_messages import SUBJECT, new_private_key, new_vapid
from tests.stand_ins.vapid_check import check_vapid, decode

MOZILLA = "https://updates.push.services.mozilla.com"
APPLE = "https://web.push.apple.com"


def claims_of(header: str) -> dict[str, Any]:
    """Verify a header's signature with the key it carries and return what was signed."""
    scheme, token, key = header.replace(",", "").split(" ")
    assert ("vapid", "t=", "k=") == (scheme, token[:2], key[:2])
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(key[2:]))
    claims: dict[str, Any] = jwt.decode(
        token[2:], point, algorithms=["ES256"], options={"verify_aud": False, "verify_exp": False}
    )
    return claims


def test_a_strict_push_service_accepts_the_token() -> None:
    vapid = new_vapid()
    header = vapid.authorization(MOZILLA, vapid.public_key)
    assert check_vapid(header, audience=MOZILLA, public_key=decode(vapid.public_key)) is None


def test_a_token_names_the_push_service_the_contact_and_twelve_hours() -> None:
    clock = Clock(1_800_000_000.0)
    vapid = new_vapid(now=clock)
    claims = claims_of(vapid.authorization(APPLE, vapid.public_key))
    assert {"aud": APPLE, "exp": 1_800_000_000 + 12 * 3600, "sub": SUBJECT} == claims


def test_a_token_is_reused_for_an_hour_and_then_renewed() -> None:
    clock = Clock(1_800_000_000.0)
    vapid = new_vapid(now=clock)
    first = vapid.authorization(APPLE, vapid.public_key)
    clock.now += 3599
    assert first == vapid.authorization(APPLE, vapid.public_key)
    clock.now += 1
    renewed = vapid.authorization(APPLE, vapid.public_key)
    assert claims_of(first)["exp"] + 3600 == claims_of(renewed)["exp"]


def test_a_clock_that_is_set_back_renews_the_token() -> None:
    """Otherwise one from the future could be used for years, and expire too late for any push service."""
    clock = Clock(1_800_000_000.0)
    vapid = new_vapid(now=clock)
    vapid.authorization(APPLE, vapid.public_key)
    clock.now -= 86400
    claims = claims_of(vapid.authorization(APPLE, vapid.public_key))
    assert int(clock.now) + 12 * 3600 == claims["exp"]


def test_each_push_service_has_a_token_of_its_own() -> None:
    vapid = new_vapid()
    audiences = [
        claims_of(vapid.authorization(origin, vapid.public_key))["aud"] for origin in (APPLE, MOZILLA)
    ]
    assert [APPLE, MOZILLA] == audiences


def test_after_a_key_change_old_subscriptions_get_the_old_key_and_browsers_the_new() -> None:
    old_key, new_key = new_private_key(), new_private_key()
    old, both = new_vapid(old_key), new_vapid(old_key, new_key)
    assert new_vapid(new_key).public_key == both.public_key
    for public_key in (old.public_key, both.public_key):
        header = both.authorization(MOZILLA, public_key)
        assert check_vapid(header, audience=MOZILLA, public_key=decode(public_key)) is None


def test_a_subscription_with_a_padded_key_is_recognised() -> None:
    vapid = new_vapid()
    assert vapid.authorization(APPLE, vapid.public_key) == vapid.authorization(APPLE, vapid.public_key + "=")


def test_a_subscription_with_a_key_we_never_had_is_refused() -> None:
    with pytest.raises(PushRefused) as refused:
        new_vapid().authorization(MOZILLA, new_vapid().public_key)
    assert "no_matching_vapid_key" == refused.value.reason


def test_made_up_origins_do_not_fill_the_memory() -> None:
    vapid = new_vapid()
    for number in range(1500):
        vapid.authorization(f"https://x{number}.push.apple.com", vapid.public_key)
    assert len(vapid._tokens) <= 1000


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]
)
def test_private_keys_may_be_der(form: serialization.PrivateFormat) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.private_bytes(
        serialization.Encoding.DER,
        form,
        serialization.NoEncryption(),
    )
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    assert encode(point) == new_vapid(encode(der)).public_key


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def der_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return encode(
        key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


@pytest.mark.parametrize(
    "private_key",
    [
        pytest.param("", id="empty"),
        pytest.param("not a key at all", id="text"),
        pytest.param(encode(bytes(32)), id="zero"),
        pytest.param(encode(b"\xff" * 32), id="larger than the curve's order"),
        pytest.param(encode(b"x" * 31), id="31 bytes"),
        pytest.param(der_of(ec.generate_private_key(ec.SECP384R1())), id="another curve"),
        pytest.param(der_of(rsa.generate_private_key(65537, 2048)), id="RSA"),
    ],
)
def test_a_key_that_is_none_is_refused_without_being_quoted(private_key: str) -> None:
    vapid = Vapid((private_key,), SUBJECT)
    with pytest.raises(PushRefused) as refused:
        _ = vapid.public_key
    assert "bad_vapid_key" == refused.value.reason
    assert refused.value.__cause__ is None
    assert not private_key or private_key not in str(refused.value)
