"""If-None-Match and Prefer, in every form that a client may send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskbell.api.preconditions import Known, entity_tag, known_versions, preferred_wait_seconds


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ([], Known()),
        (['"v7"'], Known(frozenset({7}))),
        (['W/"v7"'], Known(frozenset({7}))),
        (['"v0"'], Known(frozenset({0}))),
        (['"v7", "v9",W/"v8"'], Known(frozenset({7, 8, 9}))),
        (['"v7"', '"v9"'], Known(frozenset({7, 9}))),
        (['"other", "v7"'], Known(frozenset({7}))),
        (['"a,b", "v7"'], Known(frozenset({7}))),
        (["*"], Known(anything=True)),
        ([" * "], Known(anything=True)),
        (['"*"'], Known()),
        (["v7"], Known()),
        (['"v-1"'], Known()),
        (['"v07"'], Known()),
        (['"v7'], Known()),
        (['"v99999999999999999999"'], Known()),
        (['"v٣"'], Known()),
        ([""], Known()),
    ],
)
def test_what_the_caller_knows(values: list[str], known: Known) -> None:
    assert known == known_versions(values)


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ([], 0),
        (["wait=10"], 10),
        (["WAIT=10"], 10),
        (['wait="10"'], 10),
        (["wait = 10"], 10),
        (["respond-async, wait=10"], 10),
        (["respond-async", "wait=10"], 10),
        (["wait=10; strict"], 10),
        (["wait=10, wait=20"], 10),
        (["wait=25"], 25),
        (["wait=3600"], 25),
        (["wait=0"], 0),
        (["wait"], 0),
        (["wait="], 0),
        (["wait=-1"], 0),
        (["wait=1.5"], 0),
        (["wait=soon"], 0),
        (["waiting=10"], 0),
        (["wait=99999999999"], 0),
        (["wait=٣"], 0),
    ],
)
def test_how_long_the_caller_would_wait(values: list[str], seconds: float) -> None:
    assert seconds == preferred_wait_seconds(values)


@given(st.integers(min_value=0, max_value=2**63 - 1).filter(lambda version: version < 10**18))
def test_an_entity_tag_of_ours_is_recognised(version: int) -> None:
    assert known_versions([entity_tag(version)]).has(version)


@given(st.lists(st.text()))
def test_anything_else_means_nothing_and_breaks_nothing(values: list[str]) -> None:
    assert 0 <= preferred_wait_seconds(values) <= 25
    assert known_versions(values).newest is None or known_versions(values).newest >= 0  # type: ignore[operator]
