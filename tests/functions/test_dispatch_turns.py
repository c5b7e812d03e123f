"""Where wake-ups come faster than looks, one look serves many; for the network nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from taskbell.model import Json
from taskbell.notify.dispatch import Dispatcher, Summary
from taskbell.notify.turns import AT_ONCE
from taskbell.push import PushMessage, PushResponse
from tests.functions.bell import SECRET, Bell
from tests.functions.intercepted import Ask, Intercepted
from tests.stand_ins.record import Record

PATIENCE_SECONDS = 20
CALLERS = 8


class Held:
    """A dispatcher on the bell's gateway; its first looks wait when they have seen what is due."""

    def __init__(self, bell: Bell, looks: int = AT_ONCE) -> None:
        self.asked: Record[str] = Record("question")
        self.go_on = threading.Event()
        self._looks = looks
        self._lock = threading.Lock()
        self.dispatcher = Dispatcher(
            Intercepted(bell.gateway, self._intercept),
            bell.application.sender,
            public_url="https://bell.example",
            secrets=[SECRET],
        )

    def _intercept(self, name: str, _params: Mapping[str, Json], ask: Ask) -> Json:
        answer = ask()
        with self._lock:
            is_first = name == "claim" and self.asked.since().count("claim") < self._looks
            self.asked.add(name)
        if is_first:
            assert self.go_on.wait(PATIENCE_SECONDS)
        return answer

    def await_looks(self) -> None:
        """Wait until as many look as may look at once."""
        for look in range(self._looks):
            self.asked.wait_for(lambda name: name == "claim", after=look)


def ring(bell: Bell) -> None:
    bell.new_task(status="completed", input_data={"contactId": bell.new_contact()})


def test_of_many_wake_ups_at_once_one_waits_and_finds_what_the_others_came_for(bell: Bell) -> None:
    bell.browser()
    held = Held(bell)
    with ThreadPoolExecutor(AT_ONCE + CALLERS) as threads:
        first = [threads.submit(held.dispatcher.run, PATIENCE_SECONDS) for _ in range(AT_ONCE)]
        held.await_looks()  # they have seen that nothing is due
        ring(bell)
        waiting: set[Future[Summary]] = {
            threads.submit(held.dispatcher.run, PATIENCE_SECONDS) for _ in range(CALLERS)
        }
        joined = 0
        while len(waiting) > 1:
            done, waiting = wait(waiting, PATIENCE_SECONDS, return_when=FIRST_COMPLETED)
            joined += sum(one.result().joined for one in done)
        held.go_on.set()
        [last] = waiting
    assert CALLERS - 1 == joined
    assert (1, False) == (last.result().accepted, last.result().joined)
    assert [0] * AT_ONCE == [one.result().events for one in first]
    assert AT_ONCE + 1 == held.asked.since().count("claim")


def test_whoever_waits_in_vain_calls_for_another_run(bell: Bell) -> None:
    held = Held(bell)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        first = [threads.submit(held.dispatcher.run, PATIENCE_SECONDS) for _ in range(AT_ONCE)]
        held.await_looks()
        summary = held.dispatcher.run(0.1)
        assert (True, False) == (summary.more, summary.joined)
        assert "call_again" in held.asked.since()
        held.go_on.set()
        assert [False] * AT_ONCE == [one.result().more for one in first]


def test_a_push_service_that_hangs_takes_nobodys_turn(bell: Bell) -> None:
    bell.browser()
    hangs, sending = threading.Event(), Record[int]("batch to send")

    class Slow:
        def send(self, messages: Sequence[PushMessage], *, budget_seconds: float) -> list[PushResponse]:
            sending.add(len(messages))
            if len(sending.since()) <= AT_ONCE:
                assert hangs.wait(PATIENCE_SECONDS)
            return bell.application.sender.send(messages, budget_seconds=budget_seconds)

    dispatcher = Dispatcher(bell.gateway, Slow(), public_url="https://bell.example", secrets=[SECRET])
    with ThreadPoolExecutor(AT_ONCE) as threads:
        hung = []
        for number in range(AT_ONCE):
            ring(bell)
            hung.append(threads.submit(dispatcher.run, PATIENCE_SECONDS))
            sending.wait_for(lambda _: True, after=number)
        ring(bell)
        assert 1 == dispatcher.run(PATIENCE_SECONDS).accepted
        assert not any(one.done() for one in hung)
        hangs.set()
        assert [1] * AT_ONCE == [one.result().accepted for one in hung]
