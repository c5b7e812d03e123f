"""Push services take turns; a broken one is found out by few messages and holds up nobody else."""

from collections import Counter

from taskbell.push.batch import Batch, Job
from taskbell.push.lanes import CAUTIOUS_STREAMS, Lanes
from taskbell.push.message import PushResponse, failure
from tests.stand_ins.push_messages import message_to, new_vapid
from tests.stand_ins.push_service_rules import BrowserKeys

MESSAGE = message_to({"endpoint": "https://a/x", "keys": BrowserKeys().public_keys()}, new_vapid())
ACCEPTED = PushResponse(201)


def jobs(*origins: str) -> list[Job]:
    batch = Batch(len(origins), budget_seconds=60)
    batch.jobs = [Job(MESSAGE, origin, batch, index) for index, origin in enumerate(origins)]
    return batch.jobs


def taken(lanes: Lanes) -> list[Job]:
    started = []
    while job := lanes.take():
        started.append(job)
    return started


def lanes_with(*waiting: Job, max_streams: int = 100) -> Lanes:
    lanes = Lanes(max_streams)
    for job in waiting:
        lanes.add(job)
    return lanes


def test_origins_take_turns_however_many_messages_one_has() -> None:
    lanes = lanes_with(*jobs("https://a", "https://a", "https://a", "https://b", "https://c"))
    assert ["a", "b", "c", "a", "a"] == [job.origin[-1] for job in taken(lanes)]


def test_messages_of_one_origin_start_in_order() -> None:
    waiting = jobs(*["https://a"] * 5)
    assert waiting == taken(lanes_with(*waiting))


def test_a_new_origin_gets_few_at_once_until_it_has_spoken_http2() -> None:
    lanes = lanes_with(*jobs(*["https://a"] * 200), max_streams=100)
    first = taken(lanes)
    assert CAUTIOUS_STREAMS == len(first)
    lanes.answered(first[0], now=1.0, multiplexed=True)
    assert 100 - CAUTIOUS_STREAMS + 1 == len(taken(lanes))


def test_an_origin_without_http2_keeps_few_connections() -> None:
    lanes = lanes_with(*jobs(*["https://a"] * 50))
    first = taken(lanes)
    lanes.answered(first[0], now=1.0, multiplexed=False)
    assert 1 == len(taken(lanes))
    assert not lanes.multiplexes(first[0])


def test_a_full_origin_does_not_keep_the_others_waiting() -> None:
    lanes = lanes_with(*jobs(*["https://a"] * 50, *["https://b"] * 3))
    assert Counter({"https://a": CAUTIOUS_STREAMS, "https://b": 3}) == Counter(
        job.origin for job in taken(lanes)
    )


def test_without_any_connection_those_behind_fail_with_the_first() -> None:
    waiting = jobs(*["https://a"] * 50)
    other = jobs("https://b")[0]
    lanes = lanes_with(*waiting, other)
    first = lanes.take()
    assert first is not None
    lanes.failed(first, failure("tls_failed"), connected=False)
    assert ["tls_failed"] * 49 == [job.batch.responses[job.index].error for job in waiting[1:]]  # type: ignore[union-attr]
    assert [other] == taken(lanes)


def test_a_message_that_fails_alone_takes_none_with_it() -> None:
    waiting = jobs(*["https://a"] * 5)
    lanes = lanes_with(*waiting, max_streams=2)
    first = lanes.take()
    assert first is not None
    lanes.failed(first, failure("timeout"), connected=True)
    assert not any(job.finished for job in waiting)


def test_one_failed_connection_is_no_verdict_on_an_origin_that_has_just_answered() -> None:
    waiting = jobs(*["https://a"] * 5)
    lanes = lanes_with(*waiting, max_streams=2)
    answered, failed = lanes.take(), lanes.take()
    assert answered is not None
    assert failed is not None
    lanes.answered(answered, now=answered.batch.submitted_at + 0.1, multiplexed=True)
    lanes.failed(failed, failure("connection_failed"), connected=False)
    assert not any(job.finished for job in waiting)


def test_what_has_its_response_already_is_not_started() -> None:
    waiting = jobs(*["https://a"] * 3)
    lanes = lanes_with(*waiting)
    waiting[0].finish(ACCEPTED)
    waiting[2].finish(ACCEPTED)
    assert [waiting[1]] == taken(lanes)


def test_made_up_origins_do_not_fill_the_memory() -> None:
    lanes = Lanes(max_streams=100)
    for number in range(3000):
        [job] = jobs(f"https://x{number}.push.apple.com")
        lanes.add(job)
        assert job is lanes.take()
        lanes.answered(job, now=1.0, multiplexed=True)
    assert len(lanes._lanes) <= 1000
