"""What travels is small, valid and whole, whatever names and reasons people and programs come up with."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskbell.model import Delivery, Kind, SentNotification, Subscription, Urgency
from taskbell.notify.message import MAX_PAYLOAD_BYTES, payload, ttl_seconds
from taskbell.notify.receipt import receipt_token, verify_receipt
from taskbell.notify.shorten import ELLIPSIS, graphemes, json_bytes, one_line, shorten

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PUBLIC_URL = "https://bell.example"


def delivery(**notification: Any) -> Delivery:
    fields = {
        "id": 3,
        "event_id": 42,
        "user_id": "u1",
        "task_id": "k1",
        "contact_id": "c1",
        "agent_id": "a1",
        "kind": Kind.DRAFT_READY,
        "title": "Draft ready for Ada",
        "body": "Outreach Agent",
        "lang": "en",
        "url": "/?contact=c1",
        "tag": "t" * 32,
        "topic": "t" * 32,
        "urgency": Urgency.NORMAL,
        "ttl_seconds": 86_400,
        "contact_name": "Ada",
        "agent_name": "Outreach Agent",
    }
    return Delivery(
        id=9,
        lease=1,
        attempt=1,
        occurred_at=NOW,
        expires_at=NOW + timedelta(days=1),
        app_badge=2,
        notification=SentNotification.model_validate({**fields, **notification}),
        subscription=Subscription(
            id="s1",
            endpoint="https://push.example/x",
            origin="https://push.example",
            p256dh="",
            auth="",
            vapid_public_key="",
        ),
    )


def sent(**notification: Any) -> dict[str, Any]:
    raw = payload(delivery(**notification), PUBLIC_URL, "9.token")
    assert len(raw) <= MAX_PAYLOAD_BYTES
    decoded: dict[str, Any] = json.loads(raw.decode())
    return decoded


def test_the_payload_is_declarative_web_push() -> None:
    shown = {
        "title": "Draft ready for Ada",
        "body": "Outreach Agent",
        "navigate": "https://bell.example/?contact=c1",
        "tag": "t" * 32,
        "lang": "en",
        "dir": "auto",
        "silent": False,
        "app_badge": 2,
        "mutable": True,
        "data": {
            "event_id": 42,
            "kind": "draft_ready",
            "task_id": "k1",
            "contact_id": "c1",
            "agent_id": "a1",
            "contact_name": "Ada",
            "agent_name": "Outreach Agent",
            "occurred_at": "2026-03-02T12:00:00.000Z",
            "delivery": "9",
            "receipt": "9.token",
            "sticky": False,
        },
    }
    assert sent() == {"web_push": 8030, "notification": shown, "app_badge": 2, "mutable": True}


def test_an_absolute_url_of_ours_stays_and_any_other_is_below_ours() -> None:
    assert sent(url=f"{PUBLIC_URL}/?contact=c1")["notification"]["navigate"] == f"{PUBLIC_URL}/?contact=c1"
    navigate = sent(url="https://evil.example/")["notification"]["navigate"]
    assert navigate.startswith(f"{PUBLIC_URL}/")
    assert sent(url="//evil.example")["notification"]["navigate"] == f"{PUBLIC_URL}/evil.example"
    assert sent(url=f"{PUBLIC_URL}.evil.example/")["notification"]["navigate"].startswith(f"{PUBLIC_URL}/")


def test_a_body_gets_the_room_that_is_left_and_not_a_byte_more() -> None:
    raw = payload(delivery(body="é" * 5000), PUBLIC_URL, "9.token")
    assert MAX_PAYLOAD_BYTES - 2 <= len(raw) <= MAX_PAYLOAD_BYTES
    assert json.loads(raw)["notification"]["body"].endswith("é" + ELLIPSIS)


@pytest.mark.parametrize(
    "unit", ["a", "é", "漢", "👩‍👩‍👧‍👦", "🇦🇹", "e\u0301\u0323", "\\", '"', "\x01", "क्षि", "\u202e"]
)
@pytest.mark.parametrize("size_bytes", [0, 1, 100, 1500, 2000, 2500, 2700, 3993, 5000])
def test_any_size_of_any_script_fits(unit: str, size_bytes: int) -> None:
    text = unit * (size_bytes // len(unit.encode()))
    shown = ("title", "body", "contact_name", "agent_name")
    for field in shown:
        sent(**{field: text})
    everything = sent(**dict.fromkeys((*shown, "contact_id", "agent_id", "task_id"), text))
    assert set(graphemes(everything["notification"]["body"])) <= {unit, ELLIPSIS}


def test_an_id_that_is_too_long_to_carry_opens_the_page_itself() -> None:
    shown = sent(contact_id="c" * 5000, url="/?contact=" + "c" * 5000)["notification"]
    assert (shown["navigate"], shown["data"]["contact_id"]) == ("https://bell.example/", None)


texts = st.text(max_size=5000) | st.text(
    st.characters(min_codepoint=0x300, max_codepoint=0x1FFFF), max_size=1500
)


@settings(deadline=None)
@given(texts, texts, st.none() | texts, st.none() | texts, st.none() | texts, st.integers(-5, 10**9))
def test_every_payload_is_valid_json_within_the_limit(
    title: str, body: str, contact: str | None, agent: str | None, contact_id: str | None, badge: int
) -> None:
    given_delivery = delivery(
        title=title,
        body=body,
        contact_name=contact,
        agent_name=agent,
        contact_id=contact_id,
        url=f"/?contact={contact_id}",
    ).model_copy(update={"app_badge": badge})
    raw = payload(given_delivery, PUBLIC_URL, "9.token")
    assert len(raw) <= MAX_PAYLOAD_BYTES
    shown = json.loads(raw.decode())["notification"]
    assert shown["app_badge"] >= 0
    whole = body.encode("utf-8", "replace").decode()
    assert whole == shown["body"] or whole.startswith(shown["body"].removesuffix(ELLIPSIS))


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(0, 60))
def test_shortening_keeps_whole_characters(text: str, limit: int) -> None:
    short = shorten(text, limit, json_bytes)
    assert json_bytes(short) <= limit
    if short != text and short:
        kept = list(graphemes(short.removesuffix(ELLIPSIS)))
        assert kept == list(graphemes(text))[: len(kept)]


def test_what_fits_is_left_alone() -> None:
    assert shorten("Grüße", 5) == "Grüße"
    assert shorten("Grüße!", 5) == "Grüß…"
    assert shorten("abc  def", 6) == "abc…"
    assert shorten("abc", 0) == ""


@settings(deadline=None, max_examples=1000)
@given(st.text(max_size=40) | st.text(st.characters(min_codepoint=0x900, max_codepoint=0x1FFF), max_size=40))
def test_no_cut_is_where_unicode_forbids_one(text: str) -> None:
    regex = pytest.importorskip("regex")
    allowed, at = {0}, 0
    for cluster in regex.findall(r"\X", text):
        at += len(cluster)
        allowed.add(at)
    ours, at = set(), 0
    for grapheme in graphemes(text):
        at += len(grapheme)
        ours.add(at)
    assert ours <= allowed
    assert "".join(graphemes(text)) == text


def test_control_characters_become_spaces() -> None:
    assert one_line(" a\r\n\tb\x00\x07c\u2028d ") == "a b c d"


@pytest.mark.parametrize(
    ("ttl", "left", "expected"), [(86_400, 60, 60), (60, 86_400, 60), (60, 0, 1), (60, -5, 1), (0, 9, 1)]
)
def test_a_message_is_kept_no_longer_than_it_is_worth_something(ttl: int, left: int, expected: int) -> None:
    one = delivery(ttl_seconds=ttl).model_copy(update={"expires_at": NOW + timedelta(seconds=left)})
    assert ttl_seconds(one, NOW) == expected


def test_receipts_are_for_one_delivery_and_survive_a_new_secret() -> None:
    token = receipt_token(17, ["old"])
    assert verify_receipt(token, ["old", "new"]) == 17
    assert verify_receipt(token, ["new"]) is None
    assert verify_receipt(token.replace("17.", "18.", 1), ["old"]) is None
    assert receipt_token(17, ["old", "new"]) == receipt_token(17, ["new"])


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "17",
        "17.",
        "-1.x",
        "017." + "A" * 22,
        "17." + "A" * 23,
        "17." + "é" * 22,
        "٣." + "A" * 22,
        "9" * 30 + "." + "A" * 22,
    ],
)
def test_what_is_no_token_is_nobodys_receipt(token: str) -> None:
    assert verify_receipt(token, ["secret"]) is None
