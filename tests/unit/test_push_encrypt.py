"""What we encrypt, a browser decrypts; whatever else comes is refused with a reason."""

import base64
import os

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from taskbell.push import LARGEST_PAYLOAD_BYTES, KeysRefused, PushRefused, check_keys, encrypt
from taskbell.push.record import new_key_pair, seal
from tests.stand_ins.push_service_rules import BrowserKeys


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


BROWSER = BrowserKeys()
KEYS = BROWSER.public_keys()
STANDARDS_TEXT = b"When I grow up, I want to be a watermelon"
STANDARDS_BROWSER = BrowserKeys(
    ec.derive_private_key(
        int.from_bytes(decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")), ec.SECP256R1()
    ),
    decode("BTBZMqHH6r4Tts7J_aSIgg"),
)
STANDARDS_BODY = decode(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEq"
    "KK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(min_size=1, max_size=200), st.integers(1, LARGEST_PAYLOAD_BYTES).map(lambda n: b"\0" * n)
    )
)
def test_every_payload_that_fits_arrives_as_it_was(payload: bytes) -> None:
    body = encrypt(payload, **KEYS)
    assert payload == BROWSER.decrypt(body)
    assert 103 + len(payload) == len(body)


def test_the_largest_payload_fills_exactly_what_every_push_service_accepts() -> None:
    payload = b"x" * LARGEST_PAYLOAD_BYTES
    body = encrypt(payload, **KEYS)
    assert 4096 == len(body)
    assert payload == BROWSER.decrypt(body)


@pytest.mark.parametrize("size", [0, LARGEST_PAYLOAD_BYTES + 1])
def test_an_empty_or_too_large_payload_is_refused(size: int) -> None:
    with pytest.raises(PushRefused) as refused:
        encrypt(b"x" * size, **KEYS)
    assert "bad_payload" == refused.value.reason


def test_each_message_has_a_salt_and_a_key_pair_of_its_own() -> None:
    bodies = [encrypt(b"same", **KEYS) for _ in range(20)]
    assert 20 == len({body[:16] for body in bodies})
    assert 20 == len({body[21:86] for body in bodies})


def test_the_example_of_the_standard_decrypts_with_the_tests_own_decryption() -> None:
    """RFC 8291 appendix A: what judges our encryption was not made by us alone."""
    assert STANDARDS_TEXT == STANDARDS_BROWSER.decrypt(STANDARDS_BODY)


def test_the_example_of_the_standard_is_encrypted_to_the_standards_own_bytes() -> None:
    """RFC 8291 appendix A, with its key pair and salt in place of those that are new for every message."""
    secret = int.from_bytes(decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
    private_key = ec.derive_private_key(secret, ec.SECP256R1())
    salt = decode("DGv6ra1nlYgDCS1FRnbzlw")
    browser = STANDARDS_BROWSER
    assert STANDARDS_BODY == seal(STANDARDS_TEXT, browser.point, browser.auth, private_key, salt)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=LARGEST_PAYLOAD_BYTES), st.binary(min_size=16, max_size=16))
def test_pywebpushs_engine_makes_the_same_bytes_from_the_same_keys_and_salt(
    payload: bytes, salt: bytes
) -> None:
    private_key, browser = new_key_pair(), BrowserKeys(new_key_pair(), os.urandom(16))
    expected = http_ece.encrypt(
        payload,
        salt,
        private_key=private_key,
        dh=browser.point,
        auth_secret=browser.auth,
        version="aes128gcm",
    )
    assert expected == seal(payload, browser.point, browser.auth, private_key, salt)


def test_keys_are_taken_padded_or_not() -> None:
    padded = {name: key + "=" * (-len(key) % 4) for name, key in KEYS.items()}
    check_keys(**KEYS)
    check_keys(**padded)
    assert b"hello" == BROWSER.decrypt(encrypt(b"hello", **padded))


POINT = BROWSER.point


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        pytest.param("", KEYS["auth"], id="no key"),
        pytest.param(encode(POINT[:64]), KEYS["auth"], id="a point cut short"),
        pytest.param(encode(POINT + b"\0"), KEYS["auth"], id="a point too long"),
        pytest.param(encode(b"\x03" + POINT[1:33]), KEYS["auth"], id="a compressed point"),
        pytest.param(encode(b"\x02" + POINT[1:]), KEYS["auth"], id="a wrong first byte"),
        pytest.param(encode(POINT[:64] + bytes([POINT[64] ^ 1])), KEYS["auth"], id="not on the curve"),
        pytest.param(encode(b"\4" + bytes(64)), KEYS["auth"], id="all zero"),
        pytest.param(base64.b64encode(b"\4" + b"\xfb" * 64).decode(), KEYS["auth"], id="standard base64"),
        pytest.param(KEYS["p256dh"][:-1] + "\n", KEYS["auth"], id="a line break"),
        pytest.param(KEYS["p256dh"] + "===", KEYS["auth"], id="too much padding"),
        pytest.param("é" * 87, KEYS["auth"], id="not ASCII"),
        pytest.param(KEYS["p256dh"] * 1000, KEYS["auth"], id="far too long"),
        pytest.param(KEYS["p256dh"], "", id="no secret"),
        pytest.param(KEYS["p256dh"], encode(b"x" * 15), id="a secret too short"),
        pytest.param(KEYS["p256dh"], encode(b"x" * 17), id="a secret too long"),
    ],
)
def test_anything_but_a_point_on_the_curve_and_16_bytes_is_refused(p256dh: str, auth: str) -> None:
    for refuse in (lambda: check_keys(p256dh, auth), lambda: encrypt(b"hello", p256dh, auth)):
        with pytest.raises(KeysRefused) as refused:
            refuse()
        assert "bad_keys" == refused.value.reason
        assert p256dh[:20] not in str(refused.value) or not p256dh
