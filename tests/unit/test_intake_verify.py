"""Only bytes that somebody with a secret of ours vouches for, now, are read at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskbell.errors import Unauthorized
from taskbell.intake.verify import MAX_SIGNATURES, TOLERANCE_SECONDS, sign, verify

OLD = "whsec_" + base64.b64encode(b"old secret, twenty-four+").decode()
NEW = "whsec_" + base64.b64encode(b"new secret, twenty-four+").decode()
OTHER = "whsec_" + base64.b64encode(b"someone else's, of 24 ch").decode()
NOW = 1_767_225_600
BODY = b'{"type":"taskbell.wakeup","event_id":7}'


def headers(*, secret: str = NEW, **changes: str | None) -> dict[str, str]:
    signed: dict[str, str | None] = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": sign("msg_1", NOW, BODY, secret),
    }
    signed.update({f"webhook-{name}": value for name, value in changes.items()})
    return {name: value for name, value in signed.items() if value is not None}


def accepted(given_headers: dict[str, str], body: bytes = BODY, now: float = NOW) -> None:
    verify(given_headers, body, secrets=(OLD, NEW), now=now)


def refusal(given_headers: dict[str, str], body: bytes = BODY, now: float = NOW) -> str:
    with pytest.raises(Unauthorized) as caught:
        verify(given_headers, body, secrets=(OLD, NEW), now=now)
    assert caught.value.status_code == 401
    return caught.value.reason


def test_a_signature_is_the_standards_hmac() -> None:
    mac = hmac.new(b"new secret, twenty-four+", f"msg_1.{NOW}.".encode() + BODY, hashlib.sha256)
    expected = "v1," + base64.b64encode(mac.digest()).decode()
    assert expected == headers()["webhook-signature"]
    accepted(headers())


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_old_and_new_secrets_count_side_by_side(secret: str) -> None:
    accepted(headers(secret=secret))


def test_a_sender_that_rotates_may_sign_twice() -> None:
    stranger, ours = (headers(secret=secret)["webhook-signature"] for secret in (OTHER, NEW))
    accepted(headers(signature=f"{stranger} {ours}"))
    accepted(headers(signature=f"v1a,AAAA {ours}"))


def test_only_so_many_signatures_are_looked_at() -> None:
    ours = headers()["webhook-signature"]
    assert refusal(headers(signature=" ".join(["v1,AAAA"] * MAX_SIGNATURES + [ours]))) == "bad_signature"


@pytest.mark.parametrize("late", [-TOLERANCE_SECONDS, 0, TOLERANCE_SECONDS])
def test_five_minutes_either_way_are_near_enough(late: int) -> None:
    accepted(headers(), now=NOW + late)


@pytest.mark.parametrize("late", [-TOLERANCE_SECONDS - 0.001, TOLERANCE_SECONDS + 0.001, -1e9, 1e9])
def test_a_moment_more_is_too_much(late: float) -> None:
    assert refusal(headers(), now=NOW + late) == "stale_signature"


@pytest.mark.parametrize("name", ["id", "timestamp", "signature"])
@pytest.mark.parametrize("absent", [None, ""])
def test_a_request_without_one_of_the_headers_is_not_signed(name: str, absent: str | None) -> None:
    assert refusal(headers(secret=NEW, **{name: absent})) == "no_signature"


@pytest.mark.parametrize(
    "timestamp",
    [
        "now",
        "-1",
        "+1767225600",
        " 1767225600",
        "1767225600.0",
        "1e9",
        "٣",
        "0x10",
        "9" * 13,
        "1_767_225_600",
        "1767225600\n",
    ],
)
def test_a_timestamp_is_plain_seconds(timestamp: str) -> None:
    assert refusal(headers(timestamp=timestamp)) == "bad_signature"


@pytest.mark.parametrize(
    "signature",
    [
        "v1",
        "v1,",
        "v1,é",
        "v2,AAAA",
        ",",
        " ",
        "v1,AAAA",
        "V1," + "A" * 44,
        "v1," + "\udcff",
        "v1,AAAA,BBBB",
        "x" * 9000,
    ],
)
def test_a_malformed_signature_is_a_refusal_and_no_error(signature: str) -> None:
    assert refusal(headers(signature=signature)) == "bad_signature"


def test_every_part_that_is_signed_counts() -> None:
    assert refusal(headers(), body=BODY + b" ") == "bad_signature"
    assert refusal(headers(id="msg_2")) == "bad_signature"
    assert refusal(headers(timestamp=str(NOW + 1))) == "bad_signature"
    assert refusal(headers(secret=OTHER)) == "bad_signature"


def test_a_dashboard_webhook_shows_the_secret_itself() -> None:
    for secret in (OLD, NEW):
        accepted({"x-taskbell-secret": secret}, body=b"anything")


@pytest.mark.parametrize("shown", ["", OTHER, NEW[:-1], NEW + " ", NEW.removeprefix("whsec_"), "\udcff", "é"])
def test_any_other_fixed_header_is_refused(shown: str) -> None:
    assert refusal({"x-taskbell-secret": shown}) == "bad_signature"
    assert refusal({**headers(), "x-taskbell-secret": shown}) == "bad_signature"


@settings(deadline=None)
@given(
    body=st.binary(max_size=200),
    values=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "x-taskbell-secret"]),
        st.text(max_size=60)
        | st.text(string.digits, max_size=14)
        | st.builds("v1,{}".format, st.text(string.ascii_letters + string.digits + "+/=,", max_size=60)),
    ),
)
def test_no_headers_that_anybody_can_think_of_pass_or_break_it(body: bytes, values: dict[str, str]) -> None:
    assert refusal(values, body=body) in {"no_signature", "stale_signature", "bad_signature"}
