"""VAPID keys are exchanged without a gap: old and new side by side, browsers moved over as they return.

The webhook's secrets: test_webhook.py. The page's part (a subscription with another key is made anew) is in
web/js/push.js.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from taskbell.app import Application
from tests.functions.bell import VAPID_KEY, Behaviour, Bell, settings_for
from tests.stand_ins.push_messages import new_private_key

NEW_KEY = new_private_key()


@pytest.fixture
def deploy(bell: Bell) -> Iterator[Callable[[str], None]]:
    """Deploy the functions again, with these VAPID keys."""
    deployed: list[Application] = []

    def again(keys: str) -> None:
        settings = settings_for(bell.database.url, bell.push_service.origin, VAPID_PRIVATE_KEY=keys)
        bell.application = Application(settings, push_ca_file=bell.push_service.ca_file)
        deployed.append(bell.application)

    yield again
    for application in deployed:
        application.close()


def live(bell: Bell) -> list[str]:
    """Return the VAPID keys of the owner's live browsers."""
    found = bell.database.rpc("taskbell_subscriptions", p_user_id=bell.owner)["subscriptions"]
    return [one["vapid_public_key"] for one in found if one["retired_at"] is None]


def finish_one(bell: Bell) -> int:
    """Let something happen; returns how many pushes the strict push service accepted."""
    bell.new_task(status="completed", input_data={"contactId": bell.new_contact()})
    return int(bell.wake()["dispatched"]["accepted"])


def test_keys_rotate_without_a_browser_missing_a_push(bell: Bell, deploy: Callable[[str], None]) -> None:
    old_public_key = bell.application._vapid.public_key
    returning = bell.browser()
    bell.browser()
    assert finish_one(bell) == 2

    deploy(f"{VAPID_KEY} {NEW_KEY}")
    new_public_key = bell.application._vapid.public_key
    assert new_public_key != old_public_key
    # The push service takes a push only if it is signed with the key its browser subscribed with.
    assert finish_one(bell) == 2

    # One browser opens the page, which leaves its old subscription and makes one with the new key.
    bell.push_service.behave(bell.endpoints[returning], Behaviour(status=410))
    bell.browser()
    assert sorted(live(bell)) == sorted([old_public_key, old_public_key, new_public_key])
    assert finish_one(bell) == 2
    assert sorted(live(bell)) == sorted([old_public_key, new_public_key])


def test_a_browser_left_behind_by_a_removed_key_is_a_dead_letter_and_not_retired(
    bell: Bell, deploy: Callable[[str], None]
) -> None:
    bell.browser()
    deploy(NEW_KEY)
    bell.browser()
    assert finish_one(bell) == 1
    assert len(live(bell)) == 2
    [letter] = bell.database.rpc("taskbell_dead_letters")["deliveries"]
    assert letter["reason"] == "no_matching_vapid_key"

    # Put the old key back, and send it again.
    deploy(f"{VAPID_KEY} {NEW_KEY}")
    bell.database.rpc("taskbell_resend", p_delivery_ids=[letter["id"]])
    assert bell.sweep().get_json()["dispatched"]["accepted"] == 1
