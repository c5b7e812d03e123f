"""What gets lost or poisoned between two steps is done by the next run, and stands in nobody's way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from taskbell.errors import GatewayError
from taskbell.model import Json
from taskbell.notify.dispatch import Dispatcher
from tests.functions.bell import SECRET, Bell
from tests.functions.intercepted import Ask, Intercept, Intercepted


def faulty(bell: Bell, lose: dict[str, int] | None = None, refuse: str | None = None) -> Dispatcher:
    """A dispatcher that never gets so many answers, and is refused each decision about `refuse`."""
    left = dict(lose or {})

    def intercept(name: str, params: Mapping[str, Any], ask: Ask) -> Json:
        if refuse is not None and name == "apply":
            for decision in params["p_decisions"]:
                if decision["dead"] is None and refuse in str(decision):
                    raise GatewayError("database_refused", "poison", sqlstate="22P02")
        answer = ask()
        if left.get(name, 0) > 0:
            left[name] -= 1
            raise GatewayError("database_unavailable", "the answer was lost")
        return answer

    return dispatcher(bell, intercept)


def dispatcher(bell: Bell, intercept: Intercept, batch: int = 200) -> Dispatcher:
    """A dispatcher in whose questions `intercept` has a say."""
    return Dispatcher(
        Intercepted(bell.gateway, intercept),
        bell.application.sender,
        public_url="https://bell.example",
        secrets=[SECRET],
        batch=batch,
    )


def test_a_settle_whose_answer_is_lost_is_asked_again(bell: Bell) -> None:
    bell.browser()
    bell.new_task(status="completed")
    summary = faulty(bell, {"settle": 2}).run(10)
    assert (summary.accepted, summary.unsettled) == (1, 0)
    assert bell.delivery_states() == ["accepted"]


@pytest.mark.parametrize("step", ["claim", "apply"])
def test_what_is_cut_off_between_two_steps_is_done_by_the_next_run(bell: Bell, step: str) -> None:
    bell.browser()
    bell.new_task(status="completed")
    with pytest.raises(GatewayError):
        faulty(bell, {step: 1}).run(10)
    assert bell.application.dispatcher.run(10).as_json()["deliveries"] == 0
    bell.let_time_pass(minutes=1)
    assert bell.application.dispatcher.run(10).as_json()["accepted"] == 1
    assert len(bell.push_service.received) == 1


def test_what_was_done_counts_although_the_database_falls_silent_later(bell: Bell) -> None:
    bell.browser()
    for name in ("One", "Two"):
        bell.new_task(status="completed", input_data={"contactId": bell.new_contact(name)})
    asked: list[str] = []

    def fall_silent(name: str, _: Mapping[str, Any], ask: Ask) -> Json:
        asked.append(name)
        if asked.count("claim") > 1:
            raise GatewayError("database_unavailable", "silent")
        return ask()

    summary = dispatcher(bell, fall_silent, batch=1).run(2)
    assert (1, True) == (summary.events, summary.more)
    assert "call_again" in asked


def test_an_outcome_that_is_refused_for_good_is_counted_and_the_others_are_settled(bell: Bell) -> None:
    bell.browser()
    bell.browser()
    bell.new_task(status="completed")

    def refuse_one(_: str, params: Mapping[str, Any], ask: Ask) -> Json:
        ids = {one["delivery_id"] for one in params.get("p_outcomes", [])}
        poison.update({min(ids)} if ids and not poison else ())
        if poison & ids:
            raise GatewayError("database_refused", "poison", sqlstate="22P02")
        return ask()

    poison: set[int] = set()
    summary = dispatcher(bell, refuse_one).run(10)
    assert (summary.accepted, summary.unsettled) == (2, 2)
    assert sorted(bell.delivery_states()) == ["accepted", "due"]


@pytest.mark.parametrize("code", ["42883", "PGRST202", "401"])
def test_what_a_missing_migration_or_key_refuses_is_left_for_later_and_no_event_is_blamed(
    bell: Bell, code: str
) -> None:
    bell.browser()
    task = bell.new_task(status="completed")

    def refuse(name: str, _: Mapping[str, Any], ask: Ask) -> Json:
        if name == "apply":
            raise GatewayError("database_refused", "not deployed", sqlstate=code)
        return ask()

    with pytest.raises(GatewayError):
        dispatcher(bell, refuse).run(10)
    assert bell.event_reasons(task)[0][0] != "dead"
    bell.let_time_pass(minutes=1)
    assert bell.application.dispatcher.run(10).as_json()["accepted"] == 1


def test_one_poisoned_event_ends_dead_and_the_others_ring(bell: Bell) -> None:
    bell.browser()
    poison = bell.new_contact("Poison")
    tasks = [bell.new_task(status="completed", input_data={"contactId": c}) for c in (bell.contact, poison)]
    summary = faulty(bell, refuse="Poison").run(10)
    assert (summary.accepted, summary.dead) == (1, 1)
    assert bell.event_reasons(tasks[1]) == [("dead", "apply_refused:22P02")]
    assert bell.event_reasons(tasks[0])[0][0] == "done"
