"""Every push is answered with 403: our own mistake, said loudly, and nobody loses a browser."""

from __future__ import annotations

from typing import Any

import pytest

from taskbell_local import status
from tests.functions.bell import Behaviour, Bell

BROWSERS = 12
REFUSES = Behaviour(status=403)


def dispatch(bell: Bell) -> dict[str, Any]:
    return bell.application.dispatcher.run(10).as_json()


def overview(bell: Bell) -> list[str]:
    """Return what `taskbell status` prints."""
    return status.lines(bell.database.rpc("taskbell_status"))


def subscribe_everybody(bell: Bell, *script: Behaviour) -> list[str]:
    """Give four users three browsers each, and each user a contact; returns the users."""
    users = [bell.owner, *(bell.database.user() for _ in range(BROWSERS // 3 - 1))]
    for user in users:
        for _ in range(3):
            bell.browser(*script, user=user)
    return users


def finish_one_each(bell: Bell, users: list[str], name: str) -> None:
    for user in users:
        contact = bell.new_contact(name, user=user)
        bell.new_task(status="completed", user_id=user, input_data={"contactId": contact})


@pytest.mark.parametrize("refusal", [401, 403])
def test_a_mass_refusal_retires_nobody_is_said_first_and_ends_by_itself(bell: Bell, refusal: int) -> None:
    users = subscribe_everybody(bell, Behaviour(status=refusal), Behaviour())
    finish_one_each(bell, users, "Ada Lovelace")
    assert dispatch(bell)["misconfigured"] == BROWSERS

    first, *rest = overview(bell)
    assert first.startswith(f"BLOCKED {bell.push_service.origin} since ")
    assert f"http_{refusal}" in first
    assert first.endswith("Check VAPID_PRIVATE_KEY and VAPID_SUBJECT.")
    assert rest[-1] == f"subscriptions: {BROWSERS} live, 0 retired"

    # While it is left alone, what is new waits with the rest, and nobody knocks.
    finish_one_each(bell, users, "Grace Hopper")
    assert dispatch(bell)["deliveries"] == 0
    assert len(bell.push_service.received) == BROWSERS

    bell.let_time_pass(minutes=15)
    assert dispatch(bell)["accepted"] == 2 * BROWSERS
    assert overview(bell)[0] == "push services: none blocked"
    assert set(bell.delivery_states()) == {"accepted"}


def test_refusals_for_hours_use_up_no_tries_and_lose_nothing(bell: Bell) -> None:
    users = subscribe_everybody(bell, *[REFUSES] * 20, Behaviour())
    finish_one_each(bell, users, "Ada Lovelace")
    for _ in range(20):
        assert dispatch(bell)["misconfigured"] == BROWSERS
        assert overview(bell)[0].startswith("BLOCKED ")
        bell.let_time_pass(minutes=16)
    assert dispatch(bell)["accepted"] == BROWSERS
    assert overview(bell)[-1] == f"subscriptions: {BROWSERS} live, 0 retired"
