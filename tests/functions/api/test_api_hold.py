"""Places for held requests are few, nobody takes them all, and a closed page keeps none for long."""

from contextlib import ExitStack

import pytest

from taskbell.api.hold import HeldRequests


def test_places_are_bounded_for_all() -> None:
    held = HeldRequests(3)
    with ExitStack() as open_requests:
        places = [open_requests.enter_context(held.place(user)) for user in ("ada", "grace", "mary", "joan")]
        assert [True, True, True, False] == [place.admitted for place in places]
        assert 3 == held.count
    assert 0 == held.count


def test_the_newest_request_of_one_user_takes_over_the_oldest() -> None:
    held = HeldRequests(5, places_of_one_user=2)
    with ExitStack() as open_requests:
        first, second, third = [open_requests.enter_context(held.place("ada")) for _ in range(3)]
        assert (True, True, True) == (first.admitted, second.admitted, third.admitted)
        assert (True, False, False) == (first.lost, second.lost, third.lost)
        assert (False, False, True) == (first.took_over, second.took_over, third.took_over)
        assert 2 == held.count
    assert 0 == held.count


def test_when_all_is_taken_a_user_takes_over_what_is_their_own_and_nothing_else() -> None:
    held = HeldRequests(2)
    with held.place("ada") as of_ada, held.place("grace") as of_grace:
        with held.place("mary") as nothing:
            assert not nothing.admitted
        with held.place("ada") as newer:
            assert newer.admitted
        assert (True, False) == (of_ada.lost, of_grace.lost)
        assert 1 == held.count


def test_a_place_that_was_taken_over_is_given_back_once() -> None:
    held = HeldRequests(1)
    with ExitStack() as closed_page:
        closed_page.enter_context(held.place("ada"))
        with held.place("ada"):
            closed_page.close()
            assert 1 == held.count
    with held.place("grace") as place:
        assert place.admitted


def test_a_place_is_given_back_when_the_request_breaks() -> None:
    held = HeldRequests(1)
    with pytest.raises(ZeroDivisionError), held.place("ada"):
        raise ZeroDivisionError
    with held.place("grace") as place:
        assert place.admitted


def test_without_places_nobody_waits() -> None:
    with HeldRequests(0).place("ada") as place:
        assert not place.admitted


def test_held_requests_leave_connections_to_the_others_however_many_threads_there_are() -> None:
    held = HeldRequests(2000)
    with ExitStack() as open_requests:
        places = [open_requests.enter_context(held.place(f"user {number}")) for number in range(1000)]
        assert 900 == sum(place.admitted for place in places)
