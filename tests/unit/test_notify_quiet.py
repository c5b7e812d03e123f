"""Quiet hours are wall-clock times of a place, through both changes of its clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskbell.model import Preferences, QuietHours
from taskbell.notify.quiet import minute_end, quiet_until

VIENNA = ZoneInfo("Europe/Vienna")


def preferences(start: str, end: str, zone: str = "Europe/Vienna") -> Preferences:
    hours = QuietHours(start=time.fromisoformat(start), end=time.fromisoformat(end))
    return Preferences(quiet_hours=hours, time_zone=zone)


def vienna(*wall: int, fold: int = 0) -> datetime:
    return datetime(*wall, fold=fold, tzinfo=VIENNA).astimezone(UTC)  # type: ignore[arg-type, misc]


NIGHT = preferences("22:00", "07:00")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ((2026, 1, 14, 21, 59), None),
        ((2026, 1, 14, 22, 0), (2026, 1, 15, 7, 0)),
        ((2026, 1, 14, 23, 59), (2026, 1, 15, 7, 0)),
        ((2026, 1, 15, 0, 0), (2026, 1, 15, 7, 0)),
        ((2026, 1, 15, 6, 59), (2026, 1, 15, 7, 0)),
        ((2026, 1, 15, 7, 0), None),
        ((2026, 12, 31, 23, 0), (2027, 1, 1, 7, 0)),
    ],
)
def test_a_night_is_held_until_its_morning(now: tuple[int, ...], expected: tuple[int, ...] | None) -> None:
    assert quiet_until(NIGHT, vienna(*now)) == (None if expected is None else vienna(*expected))


def test_hours_within_a_day_do_not_span_midnight() -> None:
    nap = preferences("13:00", "15:00")
    assert quiet_until(nap, vienna(2026, 1, 14, 14, 0)) == vienna(2026, 1, 14, 15, 0)
    assert quiet_until(nap, vienna(2026, 1, 14, 12, 59)) is None
    assert quiet_until(nap, vienna(2026, 1, 14, 15, 0)) is None


def test_the_night_in_which_the_clock_goes_forward_is_an_hour_shorter() -> None:
    now = vienna(2026, 3, 28, 23, 0)
    assert quiet_until(NIGHT, now) == now + timedelta(hours=7)


def test_the_night_in_which_the_clock_goes_back_is_an_hour_longer() -> None:
    now = vienna(2026, 10, 24, 23, 0)
    assert quiet_until(NIGHT, now) == now + timedelta(hours=9)


def test_an_end_that_the_clock_skips_comes_when_it_would_have_come() -> None:
    # On 29 March 2026 there is no 02:30 in Vienna; half an hour after 02:00 (which is 03:00) it is 03:30.
    early = preferences("22:00", "02:30")
    assert quiet_until(early, vienna(2026, 3, 29, 1, 0)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_an_end_that_comes_twice_counts_each_time_that_it_is_ahead() -> None:
    # On 25 October 2026, 02:30 comes at 00:30 and again at 01:30 UTC.
    early = preferences("22:00", "02:30")
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert quiet_until(early, first - timedelta(minutes=10)) == first
    assert quiet_until(early, first) is None
    assert quiet_until(early, second - timedelta(minutes=20)) == second
    assert quiet_until(early, second) is None


def test_the_same_time_twice_means_no_quiet_hours() -> None:
    assert quiet_until(preferences("08:00", "08:00"), vienna(2026, 1, 14, 8, 0)) is None


@pytest.mark.parametrize(
    "zone", ["Nowhere/Land", "", "/etc/passwd", "../../etc", "Europe", "x" * 500, "a\0b"]
)
def test_a_place_that_nobody_knows_is_on_universal_time(zone: str) -> None:
    now = datetime(2026, 1, 14, 23, 0, tzinfo=UTC)
    assert quiet_until(preferences("22:00", "07:00", zone), now) == datetime(2026, 1, 15, 7, 0, tzinfo=UTC)


@settings(deadline=None)
@given(
    st.times(),
    st.times(),
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),
    st.sampled_from(["UTC", "Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_quiet_hours_end_and_then_are_over(start: time, end: time, naive: datetime, zone: str) -> None:
    hours = Preferences(quiet_hours=QuietHours(start=start, end=end), time_zone=zone)
    now = naive.replace(tzinfo=UTC)
    until = quiet_until(hours, now)
    if until is None:
        return
    assert now < until <= now + timedelta(hours=25)
    again = quiet_until(hours, until)
    # Only where a clock change puts the end back within the hours may it take one more step.
    assert again is None or again - until <= timedelta(hours=1)


@pytest.mark.parametrize(("second", "micro"), [(0, 0), (30, 5), (59, 999_999)])
def test_a_minute_ends_at_the_next_full_one(second: int, micro: int) -> None:
    now = datetime(2026, 3, 2, 23, 59, second, micro, tzinfo=UTC)
    assert minute_end(now) == datetime(2026, 3, 3, 0, 0, tzinfo=UTC)
