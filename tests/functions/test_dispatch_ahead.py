"""While one batch is sent and settled the next is prepared, and nothing is promised that is not kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from taskbell.errors import GatewayError
from taskbell.model import Json
from taskbell.notify.batch import SETTLE_RESERVE_SECONDS
from taskbell.notify.deliver import Pushes
from taskbell.notify.dispatch import AHEAD, Dispatcher
from taskbell.push import PushMessage, PushResponse
from taskbell.push.message import failure
from taskbell_local.vault import keep_secrets
from tests.functions.bell import SECRET, Bell
from tests.functions.intercepted import Ask, Intercepted

PATIENCE_SECONDS = 20


def dispatcher(
    bell: Bell,
    batch: int,
    *,
    before_asking: Callable[[str], None] = lambda _: None,
    sender: Pushes | None = None,
) -> Dispatcher:
    """A dispatcher on the bell's gateway, and somebody who is told before each question."""

    def intercept(name: str, _params: Mapping[str, Json], ask: Ask) -> Json:
        before_asking(name)
        return ask()

    return Dispatcher(
        Intercepted(bell.gateway, intercept),
        sender or bell.application.sender,
        public_url="https://bell.example",
        secrets=[SECRET],
        batch=batch,
        lease_seconds=60,
    )


def ring_many(bell: Bell, count: int) -> None:
    bell.browser()
    bell.prefer(digest=False)
    for number in range(count):
        contact = bell.new_contact(f"Contact {number}")
        bell.new_task(status="completed", input_data={"contactId": contact})


def test_the_next_batch_is_applied_while_one_is_being_sent(bell: Bell) -> None:
    ring_many(bell, 4)
    asked: list[str] = []
    second_applied = threading.Event()

    def asking(name: str) -> None:
        asked.append(name)
        if asked.count("apply") == 2:
            second_applied.set()

    class Patient:
        def send(self, messages: Sequence[PushMessage], *, budget_seconds: float) -> list[PushResponse]:
            assert second_applied.wait(PATIENCE_SECONDS)
            return bell.application.sender.send(messages, budget_seconds=budget_seconds)

    summary = dispatcher(bell, 2, before_asking=asking, sender=Patient()).run(PATIENCE_SECONDS)
    assert (4, 4, 0) == (summary.events, summary.accepted, summary.unsettled)
    assert ["accepted"] * 4 == bell.delivery_states()


def test_no_more_is_claimed_ahead_than_is_soon_sent(bell: Bell) -> None:
    ring_many(bell, 9)
    lock = threading.Lock()
    counts = {"claim": 0, "apply": 0, "settle": 0}
    on_their_way: list[int] = []

    def asking(name: str) -> None:
        with lock:
            if name == "claim":
                on_their_way.append(counts["apply"] - counts["settle"])
            counts[name] += 1

    summary = dispatcher(bell, 1, before_asking=asking).run(PATIENCE_SECONDS)
    assert 9 == summary.accepted
    assert max(on_their_way) <= AHEAD


def test_what_is_on_its_way_is_settled_though_the_next_claim_gets_no_answer(bell: Bell) -> None:
    ring_many(bell, 4)
    claims: list[str] = []

    def asking(name: str) -> None:
        if name == "claim":
            claims.append(name)
            if len(claims) == 2:
                raise GatewayError("database_unavailable", "nobody answers")

    summary = dispatcher(bell, 2, before_asking=asking).run(PATIENCE_SECONDS)
    assert (2, True) == (summary.accepted, summary.more)
    assert ["accepted"] * 2 == bell.delivery_states()
    assert 2 == bell.application.dispatcher.run(PATIENCE_SECONDS).accepted


def test_whoever_has_to_stop_calls_for_the_next_run(bell: Bell) -> None:
    ring_many(bell, 3)
    with bell.database.connect() as connection:
        address = "http://127.0.0.1:9/webhook"
        keep_secrets(connection, {"taskbell_webhook_url": address, "taskbell_webhook_secret": SECRET})
    summary = dispatcher(bell, 1).run(SETTLE_RESERVE_SECONDS)
    assert (1, True) == (summary.events, summary.more)
    assert [(address,)] == bell.database.execute("select url from net.http_request_queue")
    assert 2 == bell.application.dispatcher.run(PATIENCE_SECONDS).events


def test_a_try_that_never_went_out_is_none(bell: Bell) -> None:
    bell.browser()
    bell.new_task(status="completed")

    class NoTime:
        def send(
            self,
            messages: Sequence[PushMessage],
            *,
            budget_seconds: float,  # noqa: ARG002  there is none
        ) -> list[PushResponse]:
            return [failure("budget_exhausted") for _ in messages]

    for _ in range(10):
        summary = dispatcher(bell, 10, sender=NoTime()).run(PATIENCE_SECONDS)
        assert (1, 0) == (summary.retry, summary.expired)
        bell.let_time_pass(seconds=5)
    assert [("due", 0)] == bell.database.execute("select state, attempts from taskbell.deliveries")
    assert 1 == bell.application.dispatcher.run(PATIENCE_SECONDS).accepted
    assert [("accepted", 1)] == bell.database.execute("select state, attempts from taskbell.deliveries")
