"""Places for held requests are few, and nobody takes them all."""

from contextlib import ExitStack

import pytest

from taskbell.api.hold import HeldRequests


def test_places_are_bounded_for_all_and_for_each() -> None:
    held = HeldRequests(5, places_of_one_user=2)
    with ExitStack() as open_requests:
        admitted = [
            open_requests.enter_context(held.place(user))
            for user in ("ada", "ada", "ada", "grace", "mary", "joan", "kay")
        ]
        assert admitted == [True, True, False, True, True, True, False]
        assert held.count == 5
    assert held.count == 0


def test_a_place_is_given_back_when_the_request_breaks() -> None:
    held = HeldRequests(1)
    with pytest.raises(ZeroDivisionError), held.place("ada"):
        raise ZeroDivisionError
    with held.place("grace") as admitted:
        assert admitted


def test_without_places_nobody_waits() -> None:
    with HeldRequests(0).place("ada") as admitted:
        assert not admitted
