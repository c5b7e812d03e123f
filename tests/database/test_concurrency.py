"""Two of everything at once, on real connections."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.database.database import Connection, call, sign_in
from tests.database.story import Row, Story, decision, later, outcome_of
from tests.stand_ins.record import wait_until

PATIENCE_SECONDS = 20


def test_two_dispatchers_that_apply_the_same_event_ring_once(story: Story) -> None:
    story.subscribe()
    task = story.new_task("failed")
    first = [decision(event) for event in story.claim()["events"]]
    second = [decision(event) for event in story.claim(p_now=later(minutes=2))["events"]]
    with ThreadPoolExecutor(2) as pool:
        applied = list(pool.map(story_apply, [story, story], [first, second]))
    assert [0, 1] == sorted(a["notified"] for a in applied)
    assert ["due"] == story.delivery_states()
    assert [("done", None)] == story.event_reasons(task)


@pytest.mark.parametrize("known", [True, False])
def test_the_second_dispatcher_waits_for_the_first_and_then_finds_nothing_to_do(
    story: Story, known: bool
) -> None:
    story.subscribe()
    task = story.new_task()
    if known:
        story.dispatch()
    story.set_task(task, status="failed")
    older = [decision(event) for event in story.claim()["events"]]
    story.set_task(task, status="completed")
    newer = [decision(event) for event in story.claim()["events"]]
    with story.database.signed_in("service_role") as first:
        call(first, "taskbell_apply", p_decisions=newer)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(story_apply, story, older)
            wait_for_a_lock(story)
            first.commit()
            late = waiting.result(timeout=PATIENCE_SECONDS)
    assert (0, 0) == (late["applied"], late["notified"])
    assert [("completed", True)] == story.states()


def test_whoever_decides_which_event_of_a_task_is_the_newest_holds_the_task_till_it_is_applied(
    story: Story,
) -> None:
    task = story.new_task()
    story.dispatch()
    story.set_task(task, status="failed")
    decisions = [decision(event) for event in story.claim()["events"]]
    with story.database.connect(autocommit=False) as first, ThreadPoolExecutor(1) as pool:
        first.execute("select taskbell.lock_tasks(array(select id from taskbell.task_events))")
        waiting = pool.submit(story_apply, story, decisions)
        wait_for_a_lock(story)
        first.rollback()
        assert 1 == waiting.result(timeout=PATIENCE_SECONDS)["applied"]


def test_two_tasks_of_one_contact_applied_at_once_leave_the_newer_one_in_the_badge(story: Story) -> None:
    story.new_task("failed")
    older = [decision(event) for event in story.claim()["events"]]
    story.new_task("completed")
    newer = [decision(event) for event in story.claim()["events"]]
    story.dispatch()
    with story.database.signed_in("service_role") as first, ThreadPoolExecutor(1) as pool:
        call(first, "taskbell_apply", p_decisions=newer)
        waiting = pool.submit(story_apply, story, older)
        wait_for_a_lock(story)
        first.commit()
        assert 1 == waiting.result(timeout=PATIENCE_SECONDS)["applied"]
    assert [("completed", True)] == story.states()
    assert 2 == story.inbox()["version"]


@pytest.mark.parametrize("seed", range(3))
def test_dispatchers_settlers_readers_and_writers_never_block_each_other_for_good(
    story: Story, seed: int
) -> None:
    """No deadlock, and in the end every contact state is what a fold over the tasks says."""
    people = [story.owner, *(story.database.user() for _ in range(3))]
    contacts = {person: story.new_contact(user=person) for person in people}
    for person in people:
        story.subscribe(person)
    tasks = [
        story.new_task(user_id=person, input_data={"contactId": contacts[person]})
        for person in people
        for _ in range(4)
    ]

    def write(worker: int) -> None:
        chance = random.Random(100 * seed + worker)  # noqa: S311
        with story.database.connect() as connection:
            for _ in range(40):
                status = chance.choice(["pending", "in_progress", "completed", "failed"])
                connection.execute(
                    "update public.agent_tasks set status = %s where id = %s", (status, chance.choice(tasks))
                )

    def dispatch(worker: int) -> None:
        chance = random.Random(200 * seed + worker)  # noqa: S311
        with story.database.connect() as connection:
            for _ in range(25):
                rpc = caller(connection)
                decisions = [decision(event) for event in rpc("taskbell_claim", p_limit=7)["events"]]
                chance.shuffle(decisions)
                deliveries = rpc("taskbell_apply", p_decisions=decisions)["deliveries"]
                outcome = chance.choice(["accepted", "retry", "rejected"])
                rpc("taskbell_settle", p_outcomes=[outcome_of(d, outcome) for d in reversed(deliveries)])
                person = chance.choice(people)
                rpc("taskbell_seen", p_user_id=person, p_contact_id=contacts[person])

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(write, n) for n in range(3)] + [
            pool.submit(dispatch, n) for n in range(3)
        ]:
            future.result(timeout=3 * PATIENCE_SECONDS)

    while events := story.claim(p_now=later(hours=1))["events"]:
        story.apply([decision(event) for event in events])
    expected = story.database.execute(
        """
        select distinct on (t.user_id) t.user_id::text, t.id::text, t.status
        from public.agent_tasks t
        order by t.user_id, (select max(e.id) from taskbell.task_events e where e.task_id = t.id::text) desc
        """
    )
    actual = story.database.execute(
        "select user_id::text, task_id, status from taskbell.contact_states order by user_id"
    )
    assert expected == actual


def caller(connection: Any) -> Any:
    def rpc(function: str, **params: object) -> Any:
        with connection.transaction():
            sign_in(connection, "service_role")
            return call(connection, function, **params)

    return rpc


def story_apply(story: Story, decisions: list[Row]) -> Row:
    with story.database.connect() as connection:
        applied: Row = caller(connection)("taskbell_apply", p_decisions=decisions)
        return applied


def wait_for_a_lock(story: Story) -> None:
    """Return once somebody waits for somebody else's lock."""
    waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    wait_until(lambda: bool(story.database.execute(waiting)), "somebody waits for a lock")


def test_two_people_on_one_browser_at_once_never_mix(story: Story) -> None:
    stranger = story.database.user()
    browser = {
        "endpoint": "https://push.example/shared",
        "origin": "https://push.example",
        "auth": "a",
        "vapid_public_key": "v",
    }

    def subscribe(connection: Connection, user: str) -> Row:
        keyed = browser | {"p256dh": f"key of {user}"}
        row: Row = call(connection, "taskbell_subscribe", p_user_id=user, p_subscription=keyed)
        return row

    with story.database.signed_in("service_role") as first:
        before = subscribe(first, story.owner)
        with ThreadPoolExecutor(1) as pool, story.database.signed_in("service_role") as second:
            waiting = pool.submit(subscribe, second, stranger)
            wait_for_a_lock(story)
            first.commit()
            after = waiting.result(timeout=PATIENCE_SECONDS)
    assert before["id"] != after["id"]
    rows = story.database.execute("select user_id::text, p256dh from taskbell.subscriptions")
    assert [(stranger, f"key of {stranger}")] == rows


def test_two_browsers_at_once_are_not_both_the_twentieth(story: Story) -> None:
    for _ in range(19):
        story.subscribe()

    def subscribe(connection: Connection, endpoint: str) -> Row:
        browser = {"endpoint": endpoint, "origin": "o", "p256dh": "p", "auth": "a", "vapid_public_key": "v"}
        row: Row = call(connection, "taskbell_subscribe", p_user_id=story.owner, p_subscription=browser)
        return row

    with story.database.signed_in("service_role") as first:
        assert "id" in subscribe(first, "https://push.example/a")
        with ThreadPoolExecutor(1) as pool, story.database.signed_in("service_role") as second:
            waiting = pool.submit(subscribe, second, "https://push.example/b")
            wait_for_a_lock(story)
            first.commit()
            assert {"error": "too_many_subscriptions"} == waiting.result(timeout=PATIENCE_SECONDS)
