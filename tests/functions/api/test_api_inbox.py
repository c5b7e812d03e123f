"""The inbox: versions, 304, and answers that are held until something changes."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from taskbell.api.inbox import SHORTEST_HOLD
from taskbell.gateway.inbox_listener import InboxListener
from tests.functions.api.stage import Stage
from tests.stand_ins.record import wait_until

PATH = "/v1/inbox"
# Held answers wait for 16 s at least: what is quicker than that was woken.
AT_ONCE_SECONDS = 15


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(16)


def held(browser: httpx.Client, tag: str, seconds: int = 20) -> tuple[httpx.Response, float]:
    """Ask and wait; return the answer and how long it took."""
    started = time.monotonic()
    answer = browser.get(PATH, headers={"If-None-Match": tag, "Prefer": f"wait={seconds}"})
    return answer, time.monotonic() - started


def until_held(stage: Stage, user_id: str) -> None:
    """Wait until a request of this user waits for a change."""
    listener = stage.gateway.inbox_changes
    assert isinstance(listener, InboxListener)
    wait_until(lambda: user_id in listener._waiting, "the request is held")


def test_somebody_new_has_an_empty_inbox(stage: Stage) -> None:
    _, browser = stage.someone()
    answer = browser.get(PATH)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"v0"')
    assert {name: value for name, value in answer.json().items() if name != "now"} == {
        "version": 0,
        "unseen": 0,
        "states": [],
    }


def test_a_finished_task_with_a_draft_shows_as_draft_ready(stage: Stage) -> None:
    user_id, browser = stage.someone()
    contact, agent = stage.rows.contact(user_id, "Ada Lovelace"), stage.rows.agent(name="Outreach")
    task = stage.rows.task(user_id, contact, agent)
    stage.dispatch()
    [state] = browser.get(PATH).json()["states"]
    assert (state["status"], state["unseen"]) == ("pending", False)
    stage.rows.draft(user_id, contact, agent, task)
    stage.rows.execute("update agent_tasks set status = 'completed' where id = %s", task)
    stage.dispatch()
    answer = browser.get(PATH).json()
    [state] = answer["states"]
    expected = {
        "contact_id": contact,
        "contact_name": "Ada Lovelace",
        "agent_id": agent,
        "agent_name": "Outreach",
        "task_id": task,
        "status": "draft_ready",
        "reason": None,
        "unseen": True,
    }
    assert expected == {name: state[name] for name in expected}
    assert state["ready_at"] is not None
    assert answer["unseen"] == 1


def test_who_knows_this_version_is_told_nothing(stage: Stage) -> None:
    _, browser = stage.someone()
    for known in ('"v0"', 'W/"v0"', '"v7", "v0"', '"other", "v0"', "*"):
        answer = browser.get(PATH, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", '"v0"')
        assert "Content-Type" not in answer.headers
    for unknown in ('"v1"', "v0", "", '"v0'):
        assert browser.get(PATH, headers={"If-None-Match": unknown}).status_code == 200


def test_a_held_answer_comes_as_soon_as_something_changes(stage: Stage, pool: ThreadPoolExecutor) -> None:
    user_id, browser = stage.someone()
    contact, agent = stage.rows.contact(user_id), stage.rows.agent()
    waiting = pool.submit(held, browser, '"v0"')
    until_held(stage, user_id)
    stage.rows.task(user_id, contact, agent)
    changed_at = time.monotonic()
    stage.dispatch()
    answer, _ = waiting.result()
    took = time.monotonic() - changed_at
    assert (
        answer.status_code,
        answer.headers["Preference-Applied"],
        answer.headers["ETag"],
    ) == (200, "wait", '"v1"')
    assert [state["status"] for state in answer.json()["states"]] == ["pending"]
    assert took < AT_ONCE_SECONDS


def test_a_change_before_the_wait_is_not_waited_for(stage: Stage) -> None:
    user_id, browser = stage.someone()
    stage.rows.task(user_id, stage.rows.contact(user_id), stage.rows.agent())
    stage.dispatch()
    answer, took = held(browser, '"v0"')
    assert answer.status_code == 200
    assert took < AT_ONCE_SECONDS


def test_without_a_change_it_says_so_in_the_end(stage: Stage) -> None:
    _, browser = stage.someone()
    answer, took = held(browser, '"v0"', seconds=1)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (304, "wait")
    assert SHORTEST_HOLD <= took < AT_ONCE_SECONDS


def test_without_a_version_there_is_nothing_to_wait_for(stage: Stage) -> None:
    _, browser = stage.someone()
    for headers in ({}, {"If-None-Match": "*"}, {"If-None-Match": '"other"'}):
        started = time.monotonic()
        answer = browser.get(PATH, headers={"Prefer": "wait=20", **headers})
        assert time.monotonic() - started < AT_ONCE_SECONDS
        assert "Preference-Applied" not in answer.headers


def test_nobody_is_woken_with_anothers_change(stage: Stage, pool: ThreadPoolExecutor) -> None:
    _, ada = stage.someone()
    grace_id, _ = stage.someone()
    waiting = pool.submit(held, ada, '"v0"', 2)
    stage.rows.task(grace_id, stage.rows.contact(grace_id), stage.rows.agent())
    stage.dispatch()
    answer, took = waiting.result()
    assert answer.status_code == 304
    assert took >= 2 * SHORTEST_HOLD


def test_seeing_a_contact_in_one_tab_reaches_the_others(stage: Stage, pool: ThreadPoolExecutor) -> None:
    user_id, browser = stage.someone()
    contact = stage.rows.contact(user_id)
    stage.rows.task(user_id, contact, stage.rows.agent(), status="completed")
    stage.dispatch()
    before = browser.get(PATH)
    assert before.json()["unseen"] == 1
    waiting = pool.submit(held, browser, before.headers["ETag"])
    until_held(stage, user_id)
    seen = stage.browser(user_id).post(f"/v1/contacts/{contact}/seen")
    answer, took = waiting.result()
    assert seen.json()["version"] == answer.json()["version"]
    assert answer.json()["unseen"] == 0
    assert took < AT_ONCE_SECONDS


def test_no_wake_up_is_lost_however_the_change_falls(stage: Stage, pool: ThreadPoolExecutor) -> None:
    """Changes at every instant around the beginning of the wait: each is answered at once."""
    user_id, browser = stage.someone()
    contact, agent = stage.rows.contact(user_id), stage.rows.agent()
    task = stage.rows.task(user_id, contact, agent)
    stage.dispatch()
    tag = browser.get(PATH).headers["ETag"]
    for round_ in range(20):
        waiting = pool.submit(held, browser, tag)
        time.sleep(round_ * 0.002)
        status = "in_progress" if round_ % 2 == 0 else "pending"
        stage.rows.execute("update agent_tasks set status = %s where id = %s", status, task)
        stage.dispatch()
        answer, took = waiting.result()
        assert (200, status) == (answer.status_code, answer.json()["states"][0]["status"])
        assert took < AT_ONCE_SECONDS
        tag = answer.headers["ETag"]


def test_places_for_held_answers_are_few_and_without_one_the_answer_comes_at_once(
    stage_with: Callable[..., Stage], pool: ThreadPoolExecutor
) -> None:
    stage = stage_with(held_requests=2)
    people = [stage.someone() for _ in range(6)]
    waiting = []
    for user_id, browser in people[:2]:
        waiting.append(pool.submit(held, browser, '"v0"'))
        until_held(stage, user_id)
    at_once = [each.result() for each in [pool.submit(held, browser, '"v0"') for _, browser in people[2:]]]
    assert {(304, None)} == {
        (each.status_code, each.headers.get("Preference-Applied")) for each, _ in at_once
    }
    assert max(took for _, took in at_once) < AT_ONCE_SECONDS
    for user_id, _ in people[:2]:
        stage.rows.task(user_id, stage.rows.contact(user_id), stage.rows.agent())
    stage.dispatch()
    answers = [each.result()[0] for each in waiting]
    assert [(200, "wait")] * 2 == [(each.status_code, each.headers["Preference-Applied"]) for each in answers]


def test_the_newest_page_of_a_person_is_held_and_the_oldest_let_go_at_once(
    stage: Stage, pool: ThreadPoolExecutor
) -> None:
    """A page that was closed leaves its request behind: it gives way to the fifth one."""
    user_id, _ = stage.someone()
    contact, agent = stage.rows.contact(user_id), stage.rows.agent()
    oldest = pool.submit(held, stage.browser(user_id), '"v0"')
    until_held(stage, user_id)
    others = [pool.submit(held, stage.browser(user_id), '"v0"') for _ in range(4)]
    answer, took = oldest.result()
    assert (304, False) == (answer.status_code, "Preference-Applied" in answer.headers)
    assert took < AT_ONCE_SECONDS
    stage.rows.task(user_id, contact, agent)
    stage.dispatch()
    answers = [other.result()[0] for other in others]
    assert {(200, "wait")} == {(each.status_code, each.headers["Preference-Applied"]) for each in answers}


def test_a_head_request_says_what_a_get_would(stage: Stage) -> None:
    _, browser = stage.someone()
    answer = browser.head(PATH)
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (200, b"", '"v0"')


def test_everybody_sees_only_their_own(stage: Stage) -> None:
    ada_id, ada = stage.someone()
    _, grace = stage.someone()
    stage.rows.task(ada_id, stage.rows.contact(ada_id), stage.rows.agent())
    stage.dispatch()
    assert len(ada.get(PATH).json()["states"]) == 1
    assert grace.get(PATH).json()["states"] == []


def test_anothers_contact_lends_its_name_to_nobody(stage: Stage) -> None:
    ada_id, _ = stage.someone()
    grace_id, grace = stage.someone()
    contact = stage.rows.contact(ada_id, "Secret Name")
    stage.rows.task(grace_id, contact, stage.rows.agent(), status="completed")
    stage.dispatch()
    assert "Secret Name" not in grace.get(PATH).text
