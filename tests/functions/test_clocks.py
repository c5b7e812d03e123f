"""A clock that jumps: what is due may come later than it should, never twice, and is never lost.

Signatures at exactly ±5 minutes: tests/unit/test_intake_verify.py. Clock changes of the seasons:
tests/unit/test_notify_quiet.py. VAPID tokens: tests/unit/test_push_vapid.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from taskbell.notify.dispatch import Dispatcher
from tests.functions.bell import SECRET, WAKE_UP, Behaviour, Bell, signed
from tests.stand_ins.clock import Clock


def dispatcher(bell: Bell, clock: Clock[datetime]) -> Dispatcher:
    """A dispatcher whose every step, in the database too, happens at the clock's time."""
    return Dispatcher(
        bell.gateway,
        bell.application.sender,
        public_url="https://bell.example",
        secrets=[SECRET],
        clock=clock,
        chance=lambda: 0.5,
    )


def run(bell: Bell, clock: Clock[datetime]) -> dict[str, Any]:
    return dispatcher(bell, clock).run(10).as_json()


@pytest.mark.parametrize("jump", [-3600, -60, 60, 3600])
def test_a_clock_that_jumps_between_two_tries_loses_nothing_and_rings_once(bell: Bell, jump: int) -> None:
    bell.browser(Behaviour(status=503), Behaviour())
    clock = Clock(datetime.now(UTC))
    bell.new_task(status="completed")
    assert run(bell, clock)["retry"] == 1
    clock.now += timedelta(seconds=jump)
    # What is new is not held up by a clock that is slow.
    bell.new_task(status="failed", input_data={"contactId": bell.new_contact("Grace")})
    first = run(bell, clock)["accepted"]
    clock.now += timedelta(seconds=max(0, -jump) + 60)
    assert first + run(bell, clock)["accepted"] == 2
    assert run(bell, clock)["deliveries"] == 0
    assert bell.delivery_states() == ["accepted", "accepted"]
    assert len({shown["tag"] for shown in bell.shown()}) == 2


def test_a_clock_that_is_set_back_an_hour_keeps_what_happened_in_order(bell: Bell) -> None:
    bell.browser()
    clock = Clock(datetime.now(UTC))
    task = bell.new_task(status="failed")
    run(bell, clock)
    clock.now -= timedelta(hours=1)
    for status in ("pending", "completed"):
        bell.set_task(task, status=status)
    run(bell, clock)
    assert bell.states() == [("completed", True)]
    first, second = bell.shown()
    assert first["data"]["event_id"] < second["data"]["event_id"]
    assert first["tag"] == second["tag"]


def test_a_signature_is_good_for_exactly_five_minutes_either_way(
    bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_at = 1_772_452_800.0
    headers, answers = signed(WAKE_UP, at=made_at), {}
    for late in (-301, -300, 0, 300, 300.5):
        at_that_time = replace(bell.application._intake, now=partial(float, made_at + late))
        monkeypatch.setattr(bell.application, "_intake", at_that_time)
        answers[late] = bell.webhook(WAKE_UP, headers).status_code
    assert answers == {-301: 401, -300: 200, 0: 200, 300: 200, 300.5: 401}
