"""What gets lost or poisoned between two steps is done by the next run, and stands in nobody's way."""

from __future__ import annotations

from typing import Any

import pytest

from taskbell.errors import GatewayError
from taskbell.gateway import InboxChanges
from taskbell.model import Json, User
from taskbell.notify.dispatch import Dispatcher
from tests.functions.bell import SECRET, Bell


class Faulty:
    """The real gateway, some of whose answers get lost on the way back, or are refused."""

    def __init__(self, bell: Bell, lose: dict[str, int], refuse: str | None = None) -> None:
        self._gateway = bell.gateway
        self._lose = lose
        self._refuse = refuse

    @property
    def inbox_changes(self) -> InboxChanges | None:
        return None

    def rpc(
        self, name: str, params: Any, as_user: User | None = None, *, timeout_seconds: float | None = None
    ) -> Json:
        if self._refuse is not None and name == "taskbell_apply" and self._refuse in str(params):
            for decision in params["p_decisions"]:
                if decision["dead"] is None and self._refuse in str(decision):
                    raise GatewayError("database_refused", "poison", sqlstate="22P02")
        answer = self._gateway.rpc(name, params, as_user, timeout_seconds=timeout_seconds)
        if self._lose.get(name, 0) > 0:
            self._lose[name] -= 1
            raise GatewayError("database_unavailable", "the answer was lost")
        return answer

    def close(self) -> None:
        """Leave the real one open."""


def faulty(bell: Bell, lose: dict[str, int] | None = None, refuse: str | None = None) -> Dispatcher:
    return Dispatcher(
        Faulty(bell, lose or {}, refuse),
        bell.application.sender,
        public_url="https://bell.example",
        secrets=[SECRET],
    )


def test_a_settle_whose_answer_is_lost_is_asked_again(bell: Bell) -> None:
    bell.browser()
    bell.new_task(status="completed")
    summary = faulty(bell, {"taskbell_settle": 2}).run(10)
    assert (summary.accepted, summary.unsettled) == (1, 0)
    assert bell.delivery_states() == ["accepted"]


@pytest.mark.parametrize("step", ["taskbell_claim", "taskbell_apply"])
def test_what_is_cut_off_between_two_steps_is_done_by_the_next_run(bell: Bell, step: str) -> None:
    bell.browser()
    bell.new_task(status="completed")
    with pytest.raises(GatewayError):
        faulty(bell, {step: 1}).run(10)
    assert bell.application.dispatcher.run(10).as_json()["deliveries"] == 0
    bell.let_time_pass(minutes=1)
    assert bell.application.dispatcher.run(10).as_json()["accepted"] == 1
    assert len(bell.push_service.received) == 1


def test_one_poisoned_event_ends_dead_and_the_others_ring(bell: Bell) -> None:
    bell.browser()
    poison = bell.new_contact("Poison")
    tasks = [bell.new_task(status="completed", input_data={"contactId": c}) for c in (bell.contact, poison)]
    summary = faulty(bell, refuse="Poison").run(10)
    assert (summary.accepted, summary.dead) == (1, 1)
    assert bell.event_reasons(tasks[1]) == [("dead", "apply_refused:22P02")]
    assert bell.event_reasons(tasks[0])[0][0] == "done"
