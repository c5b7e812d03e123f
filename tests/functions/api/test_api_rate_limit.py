"""Token buckets: a burst, then a rate; memory bounded; callers named by what they cannot forge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskbell.api.rate_limit import RateLimit, caller_address, retry_after
from tests.stand_ins.clock import Clock


@pytest.fixture
def clock() -> Clock[float]:
    return Clock(50.0)


def test_a_burst_passes_then_one_for_each_interval(clock: Clock[float]) -> None:
    limit = RateLimit(burst=3, per_second=2, now=clock)
    assert [limit.take("ada") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    clock.now += 0.5
    assert [limit.take("ada") for _ in range(2)] == [0.0, 0.5]


def test_a_refused_request_costs_nothing(clock: Clock[float]) -> None:
    limit = RateLimit(burst=1, per_second=1, now=clock)
    limit.take("ada")
    assert {1.0} == {limit.take("ada") for _ in range(100)}
    clock.now += 1
    assert limit.take("ada") == 0.0


def test_rest_fills_the_bucket_no_higher_than_its_burst(clock: Clock[float]) -> None:
    limit = RateLimit(burst=2, per_second=1, now=clock)
    clock.now += 1e9
    assert [limit.take("ada") for _ in range(3)] == [0.0, 0.0, 1.0]


def test_costly_requests_take_more(clock: Clock[float]) -> None:
    limit = RateLimit(burst=10, per_second=1, now=clock)
    assert [limit.take("ada", cost=6) for _ in range(2)] == [0.0, 2.0]


def test_one_caller_does_not_use_up_anothers(clock: Clock[float]) -> None:
    limit = RateLimit(burst=1, per_second=1, now=clock)
    assert [limit.take(key) for key in ("ada", "ada", "grace")] == [0.0, 1.0, 0.0]


def test_a_clock_that_jumps_back_gives_and_takes_nothing(clock: Clock[float]) -> None:
    limit = RateLimit(burst=2, per_second=1, now=clock)
    limit.take("ada")
    clock.now -= 40
    assert [limit.take("ada") for _ in range(2)] == [0.0, 1.0]


def test_memory_is_bounded_and_the_quietest_is_forgotten(clock: Clock[float]) -> None:
    limit = RateLimit(burst=1, per_second=1, most_keys=100, now=clock)
    limit.take("loud")
    for number in range(1000):
        limit.take(f"address {number}")
        assert limit.take("loud") > 0
    assert limit.size == 100


@given(st.lists(st.tuples(st.floats(0, 10), st.sampled_from([1.0, 2.0, 5.0]))))
def test_never_more_than_burst_and_rate_allow(steps: list[tuple[float, float]]) -> None:
    clock = Clock(50.0)
    start = clock.now
    limit = RateLimit(burst=7, per_second=3, now=clock)
    taken = 0.0
    for pause, cost in steps:
        clock.now += pause
        if limit.take("ada", cost) == 0.0:
            taken += cost
        assert taken <= 7 + 3 * (clock.now - start) + 1e-6


@pytest.mark.parametrize(("seconds", "header"), [(0.01, "1"), (1.0, "1"), (1.2, "2"), (30.0, "30")])
def test_retry_after_is_whole_seconds_and_never_too_few(seconds: float, header: str) -> None:
    assert header == retry_after(seconds)


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "key"),
    [
        ("8.8.8.8", [], "8.8.8.8"),
        ("8.8.8.8", ["1.1.1.1"], "8.8.8.8"),
        ("127.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("169.254.1.1", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        ("169.254.1.1", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("::ffff:8.8.8.8", [], "8.8.8.8"),
        ("2a00:1450:4001:82a:1:2:3:4", [], "2a00:1450:4001:82a::/64"),
        ("::1", ["2a00:1450:4001:82a:9:9:9:9"], "2a00:1450:4001:82a::/64"),
        (None, [], "unknown"),
        ("", ["\x00"], "unknown"),
    ],
)
def test_a_caller_is_the_address_that_a_proxy_vouches_for(
    peer: str | None, forwarded_for: list[str], key: str
) -> None:
    assert key == caller_address(peer, forwarded_for)
