"""The key set: cached ten minutes, fetched by one thread at a time, patient with an issuer that is away."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from taskbell.api.jwks import KeySet, KeysUnavailable, fetch_document, parse_key_set
from tests.stand_ins.clock import Clock
from tests.stand_ins.issuer import Issuer, SigningKey
from tests.stand_ins.record import wait_until


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def clock() -> Clock[float]:
    return Clock(1000.0)


@pytest.fixture
def keys(issuer: Issuer, clock: Clock[float]) -> KeySet:
    return KeySet(issuer.jwks_url, now=clock)


def test_many_threads_make_one_request(issuer: Issuer, keys: KeySet) -> None:
    issuer.open.clear()
    with ThreadPoolExecutor(32) as threads:
        found = [threads.submit(keys.key, "first") for _ in range(64)]
        issuer.open.set()
        assert {"ES256"} == {one.result().algorithm_name for one in found}  # type: ignore[union-attr]
    assert issuer.fetches == 1


def test_keys_are_kept_for_ten_minutes(issuer: Issuer, keys: KeySet, clock: Clock[float]) -> None:
    keys.key("first")
    clock.now += 599
    keys.key("first")
    assert issuer.fetches == 1
    clock.now += 1
    keys.key("first")
    assert issuer.fetches == 2


def test_a_key_that_was_withdrawn_is_gone_after_ten_minutes(
    issuer: Issuer, keys: KeySet, clock: Clock[float]
) -> None:
    keys.key("first")
    issuer.published = [SigningKey("second").public_jwk()]
    clock.now += 600
    assert keys.key("first") is None
    assert keys.key("second") is not None


def test_a_new_key_is_found_at_once_but_unknown_ones_ask_once_a_minute(
    issuer: Issuer, keys: KeySet, clock: Clock[float]
) -> None:
    keys.key("first")
    issuer.published.append(SigningKey("second").public_jwk())
    assert keys.key("second") is not None
    assert issuer.fetches == 2
    for attempt in range(100):
        assert keys.key(f"made up {attempt}") is None
    assert issuer.fetches == 2
    clock.now += 60
    with ThreadPoolExecutor(16) as threads:
        assert {None} == set(threads.map(keys.key, [f"made up {n}" for n in range(64)]))
    assert issuer.fetches == 3


def test_an_unknown_key_does_not_hold_up_those_that_are_known(issuer: Issuer, keys: KeySet) -> None:
    keys.key("first")
    issuer.open.clear()
    with ThreadPoolExecutor(1) as thread:
        unknown = thread.submit(keys.key, "made up")
        wait_until(lambda: issuer.fetches == 2, "the unknown key is asked for")
        assert keys.key("first") is not None
        assert not unknown.done()
        issuer.open.set()


def test_known_keys_outlast_an_issuer_that_is_away_for_an_hour(
    issuer: Issuer, keys: KeySet, clock: Clock[float]
) -> None:
    keys.key("first")
    issuer.failing = True
    clock.now += 600
    assert keys.key("first") is not None
    clock.now += 3599
    assert keys.key("first") is not None
    clock.now += 1
    with pytest.raises(KeysUnavailable):
        keys.key("first")
    issuer.failing = False
    clock.now += 5
    assert keys.key("first") is not None


def test_an_issuer_that_is_away_is_asked_every_five_seconds(
    issuer: Issuer, keys: KeySet, clock: Clock[float]
) -> None:
    issuer.failing = True
    for expected in (1, 2, 3):
        for _ in range(20):
            with pytest.raises(KeysUnavailable):
                keys.key("first")
        assert expected == issuer.fetches
        clock.now += 5


def test_only_keys_that_may_verify_are_taken() -> None:
    good = SigningKey("good").public_jwk()
    weak = SigningKey("weak", "RS256", rsa_bits=1024).public_jwk()
    document = {
        "keys": [
            good,
            weak,
            {"kty": "oct", "kid": "shared", "k": "c2VjcmV0", "alg": "HS256"},
            {"kty": "OKP", "crv": "Ed25519", "kid": "edwards", "x": "AA"},
            good | {"kid": "for encryption", "use": "enc"},
            good | {"kid": "other algorithm", "alg": "HS256"},
            good | {"kid": "off the curve", "x": "AAAA"},
            good | {"kid": "other curve", "crv": "P-384"},
            good | {"kid": 7},
            {"kty": [], "crv": {}, "kid": "lists"},
            {name: value for name, value in good.items() if name != "kid"},
            "no object",
            None,
        ]
    }
    assert {"good"} == set(parse_key_set(json.dumps(document).encode()))


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": {}}', b"\xff", b"<html>"])
def test_another_document_is_no_key_set(document: bytes, clock: Clock[float]) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_key_set(document)
    with pytest.raises(KeysUnavailable):
        KeySet("", fetch=lambda _: document, now=clock).key("first")


def test_a_huge_document_is_not_read(issuer: Issuer) -> None:
    issuer.published = [issuer.key.public_jwk() | {"x5c": ["A" * 100_000]}]
    with pytest.raises(OSError, match="too large"):
        fetch_document(issuer.jwks_url)
