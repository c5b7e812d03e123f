"""What each person wants to be told: changed piece by piece, by JSON Merge Patch, from any browser."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.database.database import Connection, call
from tests.database.story import Row, Story
from tests.stand_ins.record import wait_until

CHANGE = "taskbell_change_preferences"


def change_preferences(story: Story, **change: object) -> Row:
    answer: Row = story.database.rpc(CHANGE, p_user_id=story.owner, p_change=change)
    return answer


def test_preferences_are_kept_as_they_were_given_with_the_defaults_filled_in(story: Story) -> None:
    given = {
        "kinds": {"completed": False},
        "agents": {story.agent: False},
        "muted_contacts": [story.contact],
        "quiet_hours": {"from": "22:30", "until": "07:00"},
        "time_zone": "Europe/Berlin",
        "language": "de",
        "digest": False,
    }
    kinds = {"draft_ready": True, "completed": False, "failed": True, "followup_due": True}
    answer = change_preferences(story, **given)
    assert given | {"kinds": kinds} == answer
    assert answer == story.database.rpc("taskbell_preferences", p_user_id=story.owner)
    story.new_task()
    [event] = story.claim()["events"]
    assert answer == event["recipients"][0]["preferences"]


def test_preferences_that_a_change_does_not_name_stay(story: Story) -> None:
    quiet = {"from": "22:30", "until": "07:00"}
    before = change_preferences(story, agents={"a": False, "b": False}, quiet_hours=quiet, digest=False)
    assert before == change_preferences(story)
    after = change_preferences(story, agents={"b": None, "c": True}, quiet_hours={"until": "08:00"})
    assert before | {"agents": {"a": False, "c": True}, "quiet_hours": quiet | {"until": "08:00"}} == after


def test_null_is_the_way_back_to_the_defaults(story: Story) -> None:
    defaults = story.database.rpc("taskbell_preferences", p_user_id=story.owner)
    given = {
        "kinds": {"failed": False},
        "agents": {"a": False},
        "muted_contacts": ["c"],
        "quiet_hours": {"from": "22:30", "until": "07:00"},
        "time_zone": "Europe/Berlin",
        "language": "de",
        "digest": False,
    }
    assert set(defaults) == set(given)
    change_preferences(story, **given)
    assert defaults == change_preferences(story, **dict.fromkeys(given))


def test_two_browsers_that_change_different_things_at_once_both_have_their_way(story: Story) -> None:
    def change(connection: Connection, **wanted: object) -> Row:
        answer: Row = call(connection, CHANGE, p_user_id=story.owner, p_change=wanted)
        return answer

    change_preferences(story, language="de")  # the row is there
    with (
        story.database.connect(autocommit=False) as phone,
        story.database.connect() as desk,
        ThreadPoolExecutor(1) as meanwhile,
    ):
        change(phone, kinds={"failed": False}, digest=False)
        late = meanwhile.submit(change, desk, kinds={"completed": False}, time_zone="Asia/Tokyo")
        waits = "select 1 from pg_locks where not granted and pid = %s"
        wait_until(lambda: bool(story.database.execute(waits, desk.info.backend_pid)), "the desk waits")
        phone.commit()
        answer = late.result(timeout=20)
    assert (False, False) == (answer["kinds"]["failed"], answer["kinds"]["completed"])
    assert (False, "de", "Asia/Tokyo") == (answer["digest"], answer["language"], answer["time_zone"])


# RFC 7396, Appendix A, as far as PostgreSQL's jsonb can hold it.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merging_is_that_of_json_merge_patch(story: Story, target: Any, patch: Any, result: Any) -> None:
    merge = "select taskbell.merge_patch(%s, %s)"
    assert result == story.database.value(merge, Jsonb(target), Jsonb(patch))


@pytest.mark.parametrize(
    "change",
    [
        {"time_zone": "Mars/Olympus"},
        {"quiet_hours": {"from": "25:00", "until": "07:00"}},
        {"quiet_hours": {"from": "22:00"}},
        {"quiet_hours": {"from": "22:00", "until": "22:00"}},
        {"agents": {str(number): False for number in range(201)}},
    ],
)
def test_preferences_that_make_no_sense_are_refused(story: Story, change: Row) -> None:
    before = change_preferences(story, language="de")
    refusals = (psycopg.errors.DataError, psycopg.errors.CheckViolation, psycopg.errors.ProgramLimitExceeded)
    with pytest.raises(refusals):
        change_preferences(story, **change)
    assert before == story.database.rpc("taskbell_preferences", p_user_id=story.owner)
