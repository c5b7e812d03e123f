"""Many held messages for one browser travel as one; all others travel alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from taskbell.model import Delivery, Kind, SentNotification, Subscription, Urgency
from taskbell.notify.digest import pack
from taskbell.notify.topic import topic

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def delivery(number: int, *, browser: str = "b1", held: bool = True, **notification: Any) -> Delivery:
    fields = {
        "id": number,
        "event_id": number,
        "user_id": "u1",
        "task_id": "t",
        "contact_id": f"c{number}",
        "agent_id": "a1",
        "kind": Kind.DRAFT_READY,
        "title": f"Draft ready for {number}",
        "body": "Outreach Agent",
        "lang": "en",
        "url": f"/?contact=c{number}",
        "tag": f"tag{number}",
        "topic": f"tag{number}",
        "urgency": Urgency.NORMAL,
        "ttl_seconds": 86_400,
        "contact_name": f"Name {number}",
        "agent_name": "Outreach Agent",
        "held": held,
    }
    return Delivery(
        id=number,
        lease=1,
        attempt=1,
        occurred_at=NOW + timedelta(seconds=number),
        expires_at=NOW + timedelta(days=1, seconds=number),
        notification=SentNotification.model_validate({**fields, **notification}),
        subscription=Subscription(
            id=browser, endpoint="e", origin="o", p256dh="", auth="", vapid_public_key=""
        ),
    )


def test_twelve_drafts_are_one_message_that_names_a_few() -> None:
    [parcel] = pack([delivery(number) for number in range(1, 13)])
    shown = parcel.delivery.notification
    assert shown.title == "12 drafts ready"
    assert shown.body == "Name 1, Name 2, Name 3, Name 4, Name 5 and 7 more"
    assert (shown.kind, shown.url, shown.contact_id) == (Kind.DIGEST, "/", None)
    assert (shown.tag, shown.topic) == (topic("u1", "digest", None),) * 2
    assert [one.id for one in parcel.stands_for] == list(range(1, 13))


def test_the_digest_is_as_new_as_its_newest_and_lives_as_long_as_its_last() -> None:
    [parcel] = pack([delivery(3), delivery(1), delivery(2)])
    assert parcel.delivery.notification.event_id == 3
    assert parcel.delivery.expires_at == NOW + timedelta(days=1, seconds=3)


def test_different_news_are_counted_by_kind() -> None:
    failed: dict[str, Any] = {"kind": Kind.FAILED, "urgency": Urgency.HIGH, "sticky": True}
    [parcel] = pack([delivery(1), delivery(2, **failed), delivery(3, contact_name="Name 1")])
    shown = parcel.delivery.notification
    assert (shown.title, shown.body) == ("3 updates", "2 drafts ready · 1 failed\nName 1, Name 2")
    assert (shown.urgency, shown.sticky) == (Urgency.HIGH, True)


def test_without_contacts_the_agents_are_named() -> None:
    [parcel] = pack(
        [delivery(1, contact_name=None), delivery(2, contact_name="", agent_name="Follow-up Agent")]
    )
    assert parcel.delivery.notification.body == "Outreach Agent, Follow-up Agent"


def test_it_speaks_the_users_language() -> None:
    [parcel] = pack([delivery(number, lang="de") for number in range(7)])
    assert parcel.delivery.notification.title == "7 Entwürfe fertig"
    assert parcel.delivery.notification.body.endswith("und 2 weitere")


def test_one_held_message_travels_as_it_is() -> None:
    alone = delivery(1)
    [parcel] = pack([alone])
    assert (parcel.delivery, parcel.stands_for) == (alone, (alone,))


def test_each_browser_gets_its_own() -> None:
    parcels = pack([delivery(1), delivery(2), delivery(1, browser="b2"), delivery(2, browser="b2")])
    assert [parcel.delivery.subscription.id for parcel in parcels] == ["b1", "b2"]


def test_what_was_not_held_what_must_not_be_merged_and_tests_travel_alone() -> None:
    alone = [delivery(1, held=False), delivery(2, digest=False), delivery(3, kind=Kind.TEST)]
    parcels = pack([*alone, delivery(4), delivery(5)])
    assert [parcel.delivery for parcel in parcels[:3]] == alone
    assert [one.id for one in parcels[3].stands_for] == [4, 5]


def test_nothing_is_nothing() -> None:
    assert pack([]) == []
