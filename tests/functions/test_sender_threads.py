"""One sender serves any number of threads, survives a fork, and ends when told to."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from taskbell.push import AllowedOrigins, Sender
from taskbell.push.batch import Batch, Job
from tests.stand_ins.push_messages import message_to, new_private_key, new_vapid
from tests.stand_ins.push_service import Behaviour, PushService

VAPID = new_vapid()
AMPLE_SECONDS = 60  # nothing here comes to the end of it


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as running:
        yield running


@pytest.fixture
def sender(service: PushService) -> Iterator[Sender]:
    allowed = AllowedOrigins([service.origin])
    with Sender(VAPID, allowed_origins=allowed, ca_file=service.ca_file) as running:
        yield running


def sender_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "push-sender"]


def test_many_threads_share_one_connection_and_get_their_own_answers(
    service: PushService, sender: Sender
) -> None:
    def send(number: int) -> bool:
        statuses = [201, 404, 410, 201, 429, 201, 503, 201]
        statuses = statuses[number % 8 :] + statuses[: number % 8]
        messages = [message_to(service.new_subscription(Behaviour(status)), VAPID) for status in statuses]
        responses = sender.send(messages, budget_seconds=20)
        return statuses == [response.status_code for response in responses]

    with ThreadPoolExecutor(24) as pool:
        assert [True] * 60 == list(pool.map(send, range(60)))
    assert 60 * 8 == len(service.received)
    # A second one may open while the first is being made; more would be one per caller.
    assert service.connections <= 3


def test_a_caller_with_much_to_send_does_not_keep_another_waiting(
    service: PushService, sender: Sender
) -> None:
    slow = message_to(service.new_subscription(Behaviour(fault="silence")), VAPID)
    quick = message_to(service.new_subscription(), VAPID)
    sender.send([quick], budget_seconds=20)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sender.send, [slow], budget_seconds=AMPLE_SECONDS)
        service.wait_for(2)
        assert [201] == [response.status_code for response in sender.send([quick], budget_seconds=20)]
        assert not waiting.done()
        sender.close()
        assert ["closed"] == [response.error for response in waiting.result(timeout=AMPLE_SECONDS)]


def test_nothing_runs_before_the_first_message_nor_after_the_end(service: PushService) -> None:
    allowed = AllowedOrigins([service.origin])
    before = len(sender_threads())
    sender = Sender(VAPID, allowed_origins=allowed, ca_file=service.ca_file)
    assert before == len(sender_threads())
    message = message_to(service.new_subscription(), VAPID)
    sender.send([message], budget_seconds=20)
    assert before + 1 == len(sender_threads())
    sender.close()
    assert before == len(sender_threads())
    assert ["closed"] == [response.error for response in sender.send([message], budget_seconds=20)]
    sender.close()


def test_closing_ends_what_is_under_way_at_once(service: PushService, sender: Sender) -> None:
    messages = [message_to(service.new_subscription(Behaviour(fault="silence")), VAPID) for _ in range(50)]
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(sender.send, messages, budget_seconds=AMPLE_SECONDS)
        service.wait_for(1)
        sender.close()
        assert {"closed"} == {response.error for response in sending.result(timeout=AMPLE_SECONDS / 2)}


def test_a_sender_whose_thread_has_died_says_so_and_starts_another(
    service: PushService, sender: Sender
) -> None:
    slow = message_to(service.new_subscription(Behaviour(fault="silence")), VAPID)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sender.send, [slow], budget_seconds=AMPLE_SECONDS)
        service.wait_for(1)
        assert sender._loop
        broken = Batch(1, budget_seconds=AMPLE_SECONDS)
        broken.jobs = [Job(slow, ["no origin"], broken, 0)]  # type: ignore[arg-type]
        sender._loop.submit(broken)
        assert ["internal_error"] == [
            response.error for response in waiting.result(timeout=AMPLE_SECONDS / 2)
        ]
    quick = message_to(service.new_subscription(), VAPID)
    assert [201] == [response.status_code for response in sender.send([quick], budget_seconds=20)]


FORKING = """
import json, os, sys
from taskbell.push import AllowedOrigins, PushMessage, Sender, Vapid

told = json.load(sys.stdin)
vapid = Vapid((told["private_key"],), "mailto:operator@example.com")
sender = Sender(vapid, allowed_origins=AllowedOrigins([told["origin"]]), ca_file=told["ca_file"])

def send(name):
    keys = told["subscription"]["keys"]
    message = PushMessage(
        told["subscription"]["endpoint"], keys["p256dh"], keys["auth"], vapid.public_key, name, 60,
        "normal", None
    )
    [response] = sender.send([message], budget_seconds=20)
    assert response.status_code == 201, response

send(b"parent before")
child = os.fork()
if child == 0:
    send(b"child")
    sys.exit(0)  # with everything that the interpreter does at its end
assert os.waitpid(child, 0)[1] == 0
send(b"parent after")
sender.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_sends_on_a_connection_of_its_own_and_leaves_the_parents_alone(
    service: PushService,
) -> None:
    """As under gunicorn, if something was sent before it forks its workers."""
    private_key = new_private_key()
    told = {
        "private_key": private_key,
        "origin": service.origin,
        "ca_file": service.ca_file,
        "subscription": service.new_subscription(),
    }
    subprocess.run(
        [sys.executable, "-c", FORKING], input=json.dumps(told), text=True, check=True, timeout=AMPLE_SECONDS
    )
    assert [b"parent before", b"child", b"parent after"] == [push.payload for push in service.received]
    assert 2 == service.connections
