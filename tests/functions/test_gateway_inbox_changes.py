"""Who waits for an inbox hears of its change at once, of nobody else's, and is never left waiting."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from taskbell.gateway.inbox_listener import InboxListener
from taskbell.gateway.postgres import PostgresGateway
from taskbell.model import User
from tests.database.database import Database
from tests.database.story import Story

PATIENCE_SECONDS = 20  # half of what each waits: who ends within it was woken


class Answer:
    """A question whose answer becomes yes at some time; it counts how often it was asked."""

    def __init__(self) -> None:
        self.yes = False
        self.asked = 0
        self.was_asked = threading.Event()

    def __call__(self) -> bool:
        self.asked += 1
        self.was_asked.set()
        return self.yes


@pytest.fixture
def listener(database: Database) -> Iterator[InboxListener]:
    """Give a listener that nobody has used yet."""
    one = InboxListener(database.url)
    yield one
    one.close()


def notify(database: Database, *user_ids: str) -> None:
    database.execute("select pg_notify('taskbell_inbox', %s)", json.dumps(user_ids))


def test_what_changed_already_is_told_without_waiting(listener: InboxListener) -> None:
    answer = Answer()
    answer.yes = True
    assert listener.wait("u1", answer, 10) is True
    assert answer.asked == 1


def test_a_wait_ends_with_its_time(listener: InboxListener) -> None:
    started = time.monotonic()
    assert listener.wait("u1", Answer(), 0.3) is False
    assert 0.3 <= time.monotonic() - started < PATIENCE_SECONDS


def test_a_change_is_heard_at_once_by_whom_it_concerns(database: Database, listener: InboxListener) -> None:
    mine, other = Answer(), Answer()
    with ThreadPoolExecutor(2) as pool:
        waits = [
            pool.submit(listener.wait, user, answer, 2 * PATIENCE_SECONDS)
            for user, answer in (("u1", mine), ("u2", other))
        ]
        assert mine.was_asked.wait(PATIENCE_SECONDS)
        assert other.was_asked.wait(PATIENCE_SECONDS)
        asked = other.asked
        mine.yes = True
        notify(database, "u0", "u1")
        assert waits[0].result(PATIENCE_SECONDS) is True
        assert other.asked <= asked + 1  # once more at most, for having begun to listen
        assert not waits[1].done()
        listener.close()
        assert waits[1].result(PATIENCE_SECONDS) is False


def test_a_lost_connection_loses_no_change(database: Database, listener: InboxListener) -> None:
    answer = Answer()
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(listener.wait, "u1", answer, 2 * PATIENCE_SECONDS)
        assert answer.was_asked.wait(PATIENCE_SECONDS)
        database.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'taskbell inbox'"
            " and datname = current_database()"
        )
        answer.yes = True  # while nobody listens, and with no notification at all
        assert wait.result(PATIENCE_SECONDS) is True


def test_closing_lets_everybody_go(database: Database) -> None:
    listener, answer = InboxListener(database.url), Answer()
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(listener.wait, "u1", answer, 2 * PATIENCE_SECONDS)
        assert answer.was_asked.wait(PATIENCE_SECONDS)
        listener.close()
        assert wait.result(PATIENCE_SECONDS) is False


def test_what_the_question_raises_is_raised_and_leaves_no_trace(listener: InboxListener) -> None:
    def broken() -> bool:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        listener.wait("u1", broken, 5)
    assert listener._waiting == {}


def test_a_task_that_changes_wakes_its_owners_held_request(database: Database) -> None:
    story, gateway = Story(database), PostgresGateway(database.url)
    owner = User(story.owner, "", {"sub": story.owner, "role": "authenticated"})
    listener = gateway.inbox_changes
    assert listener is not None
    first_look = threading.Event()

    def changed() -> bool:
        inbox = gateway.rpc("taskbell_inbox", {"p_known_version": 0}, owner)
        first_look.set()
        assert isinstance(inbox, dict)
        return inbox["changed"] is True

    try:
        with ThreadPoolExecutor(1) as pool:
            wait = pool.submit(listener.wait, story.owner, changed, 2 * PATIENCE_SECONDS)
            assert first_look.wait(PATIENCE_SECONDS)
            story.new_task(status="completed")
            story.dispatch()
            assert wait.result(PATIENCE_SECONDS) is True  # long before its end: it was heard
    finally:
        gateway.close()


def test_the_transaction_pooler_cannot_notify() -> None:
    gateway = PostgresGateway("postgresql://u:p@db.example:6543/postgres")
    assert gateway.inbox_changes is None
    gateway.close()
