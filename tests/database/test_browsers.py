"""A person's browsers: subscribing, tests and receipts."""

from __future__ import annotations

import pytest

from tests.database.story import SHOWN_OF_A_BROWSER, Row, Story, later, unknown_id

BROWSER = {
    "endpoint": "https://push.example/abc",
    "origin": "https://push.example",
    "p256dh": "a-public-key",
    "auth": "a-secret",
    "vapid_public_key": "ours",
    "name": "Firefox on Linux",
}
TEST = {"title": "It works", "url": "/", "tag": "test", "topic": "test", "ttl_seconds": 60}


def subscribe(story: Story, user: str | None = None, **changes: str) -> Row:
    row: Row = story.database.rpc(
        "taskbell_subscribe", p_user_id=user or story.owner, p_subscription=BROWSER | changes
    )
    return row


def subscriptions(story: Story, user: str | None = None) -> list[Row]:
    rows: list[Row] = story.database.rpc("taskbell_subscriptions", p_user_id=user or story.owner)[
        "subscriptions"
    ]
    return rows


def test_what_goes_out_about_a_browser_holds_neither_endpoint_nor_keys(story: Story) -> None:
    row = subscribe(story)
    assert SHOWN_OF_A_BROWSER == set(row)
    assert [row] == subscriptions(story)


def test_a_browser_that_comes_back_is_the_same_browser_with_its_new_keys(story: Story) -> None:
    first = subscribe(story)
    story.database.rpc(
        "taskbell_rename_subscription", p_user_id=story.owner, p_subscription_id=first["id"], p_name="Laptop"
    )
    again = subscribe(story, p256dh="another-key", vapid_public_key="our-new-one", name="")
    assert (first["id"], "Laptop", "our-new-one") == (again["id"], again["name"], again["vapid_public_key"])
    assert "another-key" == story.database.value("select p256dh from taskbell.subscriptions")


def test_a_browser_that_was_retired_lives_again_when_it_subscribes(story: Story) -> None:
    subscribe(story)
    story.new_task("failed")
    story.settle(story.dispatch()["deliveries"], "gone", status_code=410)
    assert subscriptions(story)[0]["retired_at"] is not None
    assert subscribe(story)["retired_at"] is None


def test_a_browser_belongs_to_whoever_signed_in_last_and_gets_nothing_of_the_one_before(story: Story) -> None:
    subscribe(story)
    story.new_task("failed")
    story.dispatch()
    stranger = story.database.user()
    subscribe(story, user=stranger)
    assert ([], 1) == (subscriptions(story), len(subscriptions(story, stranger)))
    assert [] == story.claim(p_now=later(hours=1))["deliveries"]


def test_twenty_browsers_are_enough(story: Story) -> None:
    for number in range(20):
        assert "id" in subscribe(story, endpoint=f"https://push.example/{number}")
    assert {"error": "too_many_subscriptions"} == subscribe(story, endpoint="https://push.example/20")
    assert "id" in subscribe(story, endpoint="https://push.example/7")
    story.database.rpc(
        "taskbell_unsubscribe", p_user_id=story.owner, p_subscription_id=subscriptions(story)[0]["id"]
    )
    assert "id" in subscribe(story, endpoint="https://push.example/20")


def test_a_user_who_was_deleted_cannot_subscribe_and_takes_everything_along(story: Story) -> None:
    story.subscribe()
    story.new_task("failed")
    story.dispatch()
    story.database.execute("delete from auth.users where id = %s", story.owner)
    for table in ("inboxes", "task_states", "contact_states", "subscriptions", "notifications", "deliveries"):
        assert 0 == story.database.value(f"select count(*) from taskbell.{table}"), table  # noqa: S608
    assert {"error": "unknown_user"} == subscribe(story)


@pytest.mark.parametrize("function", ["taskbell_rename_subscription", "taskbell_unsubscribe"])
def test_nobody_touches_a_browser_of_another_user(story: Story, function: str) -> None:
    browser = subscribe(story)
    params = {"p_name": "mine now"} if "rename" in function else {}
    answer = story.database.rpc(
        function, p_user_id=story.database.user(), p_subscription_id=browser["id"], **params
    )
    assert answer in (None, {"removed": False})
    assert [browser] == subscriptions(story)


def test_a_test_goes_to_one_browser_at_once_and_the_receipt_verifies_it(story: Story) -> None:
    browser = subscribe(story)
    subscribe(story, endpoint="https://push.example/other")
    [delivery] = story.database.rpc(
        "taskbell_test", p_user_id=story.owner, p_subscription_id=browser["id"], p_notification=TEST
    )["deliveries"]
    assert (browser["id"], 1, "test", None) == (
        delivery["subscription"]["id"],
        delivery["attempt"],
        delivery["notification"]["kind"],
        delivery["notification"]["event_id"],
    )
    story.settle([delivery], "accepted", status_code=201)
    assert {"recorded": True} == story.database.rpc(
        "taskbell_receipt", p_delivery_id=delivery["id"], p_event="shown"
    )
    verified = {s["id"]: s["verified_at"] is not None for s in subscriptions(story)}
    assert [True, False] == [verified[browser["id"]], *(v for i, v in verified.items() if i != browser["id"])]


def test_a_test_of_a_browser_that_is_not_ones_own_goes_nowhere(story: Story) -> None:
    browser = subscribe(story)
    for user, subscription in [(story.database.user(), browser["id"]), (story.owner, unknown_id())]:
        assert {"deliveries": []} == story.database.rpc(
            "taskbell_test", p_user_id=user, p_subscription_id=subscription, p_notification=TEST
        )
    assert 0 == story.database.value("select count(*) from taskbell.notifications")


def test_receipts_are_kept_once_and_a_clock_from_the_future_is_not_believed(story: Story) -> None:
    subscribe(story)
    story.new_task("failed")
    [delivery] = story.dispatch()["deliveries"]
    for event in ("shown", "clicked", "closed"):
        for at in (later(days=300), later(days=-1)):
            story.database.rpc("taskbell_receipt", p_delivery_id=delivery["id"], p_event=event, p_at=at)
    [times] = story.database.execute("select shown_at, clicked_at, closed_at from taskbell.deliveries")
    assert all(time < later() for time in times)
    assert subscriptions(story)[0]["verified_at"] is None


@pytest.mark.parametrize(("delivery_id", "event"), [(7, "shown"), (1, "eaten"), (1, "")])
def test_a_receipt_for_nothing_is_not_recorded(story: Story, delivery_id: int, event: str) -> None:
    subscribe(story)
    story.new_task("failed")
    story.dispatch()
    assert {"recorded": False} == story.database.rpc(
        "taskbell_receipt", p_delivery_id=delivery_id, p_event=event
    )
