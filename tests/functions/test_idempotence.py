"""Everything may be asked twice, at once or late, and happens once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Response

from tests.functions.bell import SECRET, WAKE_UP, Bell, post, signed

AT_ONCE = 8


def at_once(bell: Bell, *calls: tuple[str, bytes, dict[str, str]]) -> list[Response]:
    """Make calls of (path, body, headers) at the same time."""

    def make(call: tuple[str, bytes, dict[str, str]]) -> Response:
        path, body, headers = call
        function = bell.application.sweep if path == "/sweep" else bell.application.webhook
        return function(post(body, headers, path))

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))


def accepted(responses: list[Response]) -> int:
    assert {response.status_code for response in responses} == {200}
    return sum(response.get_json()["dispatched"]["accepted"] for response in responses)


def finish_many(bell: Bell, count: int) -> None:
    bell.prefer(digest=False)
    for number in range(count):
        contact = bell.new_contact(f"Contact {number}")
        bell.new_task(status="completed", input_data={"contactId": contact})


@pytest.mark.parametrize("paths", [["/sweep"], ["/webhook"], ["/sweep", "/webhook"]])
def test_sweeps_and_wake_ups_at_once_ring_once_each(bell: Bell, paths: list[str]) -> None:
    bell.browser()
    bell.browser()
    finish_many(bell, 20)
    calls = [(paths[number % len(paths)], WAKE_UP, signed(WAKE_UP)) for number in range(AT_ONCE)]
    assert accepted(at_once(bell, *calls)) == 40
    pushes = zip(bell.push_service.received, bell.shown(), strict=True)
    rung = [(push.endpoint, shown["tag"]) for push, shown in pushes]
    assert (len(rung), len(set(rung))) == (40, 40)
    assert set(bell.delivery_states()) == {"accepted"}


def test_the_same_signed_webhook_at_once_and_again_is_one_ring(bell: Bell) -> None:
    bell.browser()
    bell.finish(bell.new_task(status="in_progress"))
    headers = signed(WAKE_UP)
    responses = at_once(bell, *[("/webhook", WAKE_UP, headers)] * AT_ONCE)
    responses += at_once(bell, ("/webhook", WAKE_UP, headers))
    assert accepted(responses) == 1
    assert len(bell.push_service.received) == 1


def test_a_dashboard_webhook_that_comes_at_once_many_times_is_one_event(bell: Bell) -> None:
    bell.database.execute("drop trigger taskbell_capture on public.agent_tasks")
    bell.browser()
    call = ("/webhook", bell.row_change(), {"x-taskbell-secret": SECRET})
    responses = at_once(bell, *[call] * AT_ONCE)
    assert accepted(responses) == 1
    recorded = [response.get_json()["recorded"]["recorded"] for response in responses]
    assert (recorded.count(True), len(bell.push_service.received)) == (1, 1)
