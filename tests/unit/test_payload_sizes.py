"""Texts of every size and script, made into a message and encrypted: each fits, and each decrypts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskbell.notify.message import payload
from taskbell.push import encrypt
from tests.stand_ins.push_service_rules import BrowserKeys
from tests.unit.test_notify_message import PUBLIC_URL, delivery

BROWSER = BrowserKeys()
KEYS = BROWSER.public_keys()
MOST_BYTES = 2700  # what Mozilla's bridge to Android takes, with a little room
OVERHEAD_BYTES = 103  # RFC 8188 and RFC 8291: header, delimiter, tag
LARGEST_TEXT_BYTES = 5000
FIELDS = ("title", "body", "contact_name", "agent_name")


def text_of(unit: str, size_bytes: int) -> str:
    """Return `size_bytes` of text: whole units, and single letters for the rest."""
    whole, rest = divmod(size_bytes, len(unit.encode()))
    return unit * whole + "x" * rest


def travels(**notification: str) -> None:
    """See that the message fits, arrives as it was made, and is the JSON that a browser expects."""
    made = payload(delivery(**notification), PUBLIC_URL, "9.token")
    assert len(made) <= MOST_BYTES
    body = encrypt(made, **KEYS)
    assert len(body) == OVERHEAD_BYTES + len(made)
    arrived = BROWSER.decrypt(body)
    assert arrived == made
    assert json.loads(arrived)["web_push"] == 8030


@pytest.mark.parametrize("unit", ["a", "é", "漢", "👩‍👩‍👧‍👦", "🇦🇹", "e\u0301\u0323", '"', "\x01"])
def test_every_size_up_to_5000_bytes_fits_and_decrypts(unit: str) -> None:
    # Every size near the limits, and every 83rd between them.
    near = {at + step for at in (0, 2700, 3993, 4096, LARGEST_TEXT_BYTES) for step in range(-4, 5)}
    for size_bytes in sorted(near | set(range(0, LARGEST_TEXT_BYTES + 1, 83))):
        if 0 <= size_bytes <= LARGEST_TEXT_BYTES:
            text = text_of(unit, size_bytes)
            assert len(text.encode()) == size_bytes
            travels(body=text)
            travels(**dict.fromkeys(FIELDS, text))


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries({field: st.text(max_size=1500) for field in FIELDS}))
def test_any_text_at_all_fits_and_decrypts(texts: dict[str, str]) -> None:
    travels(**texts)
