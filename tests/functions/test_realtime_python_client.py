"""The official Python client, as a second opinion on the stand-in for Realtime and on our policies."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from realtime import AsyncRealtimeChannel, AsyncRealtimeClient
from realtime.types import RealtimeChannelConfig

from tests.database.database import Database
from tests.database.pool import DatabasePool
from tests.database.story import Story
from tests.stand_ins.background import Background
from tests.stand_ins.realtime_project import PUBLISHABLE_KEY, SupabaseProject
from tests.stand_ins.record import Record

# The client asks websockets for a closed connection's code in an old way.
pytestmark = pytest.mark.filterwarnings("ignore:ConnectionClosed.*:DeprecationWarning")

T = TypeVar("T")
Payload = dict[str, Any]


@dataclass(frozen=True)
class Running:
    """A Supabase project on a database of its own, and where the clients' work is done."""

    project: SupabaseProject
    database: Database
    background: Background


@pytest.fixture(scope="module")
def running(database_pool: DatabasePool) -> Iterator[Running]:
    """One for all stories of this module."""
    with (
        Background() as background,
        database_pool.database() as database,
        SupabaseProject(background, database.superuser_url) as project,
    ):
        yield Running(project, database, background)


@pytest.fixture
def project(running: Running) -> SupabaseProject:
    return running.project


@pytest.fixture
def story(running: Running) -> Story:
    """An owner of the story's own."""
    return Story(running.database)


class Listener:
    """One client with one channel, and what it heard."""

    def __init__(self, running: Running, user: str | None, *, key: str = PUBLISHABLE_KEY) -> None:
        self.heard: Record[Payload] = Record("message")
        self.states: Record[str] = Record("state of the channel")
        self.system: Record[Payload] = Record("system message")
        self._background = running.background
        url = f"{running.project.url}/realtime/v1"
        self._client = AsyncRealtimeClient(url, token=key, auto_reconnect=False)
        if user is not None:
            self.run(self._client.set_auth(running.project.token(user)))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._background.run(work)

    def listen(self, topic: str, *wishes: tuple[str, str, str | None], private: bool = True) -> None:
        """Join a channel; wishes are an event, a table and a filter of Postgres Changes."""
        self.run(self._join(topic, wishes, private))

    async def _join(self, topic: str, wishes: tuple[tuple[str, str, str | None], ...], private: bool) -> None:
        config: RealtimeChannelConfig = {"broadcast": None, "presence": None, "private": private}
        channel: AsyncRealtimeChannel = self._client.channel(topic, {"config": config})
        channel.on_broadcast("*", lambda payload: self.heard.add(dict(payload)))
        channel.on_system(lambda payload: self.system.add(payload.model_dump()))
        for event, table, wanted in wishes:
            channel.on_postgres_changes(event, self._note_change, table=table, filter=wanted)  # type: ignore[arg-type]
        if self._client.access_token != self._client.apikey:
            channel.join_push.update_payload({"access_token": self._client.access_token})
        await channel.subscribe(lambda state, _: self.states.add(state.value))

    def _note_change(self, payload: Any) -> None:
        self.heard.add(payload["data"])

    def new_token(self, token: str) -> None:
        self.run(self._client.set_auth(token))

    def close(self) -> None:
        self.run(self._client.close())


@pytest.fixture
def listener(running: Running, story: Story) -> Iterator[Listener]:
    """The owner's client."""
    listener = Listener(running, story.owner)
    yield listener
    listener.close()


def test_a_change_of_the_inbox_reaches_its_owner(listener: Listener, story: Story) -> None:
    listener.listen(f"user:{story.owner}")
    assert ["SUBSCRIBED"] == listener.states.since()
    story.new_task("failed")
    story.dispatch()
    message = listener.heard.wait_for(lambda _: True)
    assert ("inbox", {"version": 1}) == (message["event"], message["payload"])


def heard_of_a_change(listener: Listener, project: SupabaseProject, story: Story) -> list[Payload]:
    """Return all that a listener has heard once a change of the owner's inbox was sent out; closes it."""
    story.new_task("failed")
    story.dispatch()
    project.realtime.seen.wait_for(lambda seen: seen.what == "sent" and story.owner in seen.topic)
    listener.close()
    return listener.heard.since()


@pytest.mark.parametrize("who", ["stranger", "nobody"])
def test_somebody_elses_channel_is_refused(
    running: Running, project: SupabaseProject, story: Story, who: str
) -> None:
    listener = Listener(running, story.database.user() if who == "stranger" else None)
    mark = project.realtime.seen.mark()
    listener.listen(f"user:{story.owner}")
    refused = project.realtime.seen.wait_for(lambda seen: seen.what == "refused", after=mark)
    assert refused.detail.startswith("Unauthorized: You do not have permissions to read from this Channel")
    assert ["CHANNEL_ERROR"] == listener.states.since()
    assert [] == heard_of_a_change(listener, project, story)


def test_what_is_private_is_not_told_on_a_public_channel_of_the_same_name(
    running: Running, project: SupabaseProject, story: Story
) -> None:
    listener = Listener(running, story.database.user())
    listener.listen(f"user:{story.owner}", private=False)
    assert ["SUBSCRIBED"] == listener.states.since()
    assert [] == heard_of_a_change(listener, project, story)


def test_another_key_than_the_publishable_one_opens_no_socket(running: Running) -> None:
    with pytest.raises(Exception, match="HTTP 403"):
        Listener(running, None, key="sb_publishable_of_another_project").listen("anything")


def test_a_token_ends_and_a_newer_one_goes_on(
    listener: Listener, story: Story, project: SupabaseProject
) -> None:
    listener.new_token(project.token(story.owner, seconds=60))
    listener.listen(f"user:{story.owner}")
    listener.new_token(project.token(story.owner, seconds=3600, session_id="the next"))
    mark = project.realtime.seen.mark()
    listener.new_token(project.token(story.database.user()))
    project.realtime.seen.wait_for(lambda seen: seen.what == "ended", after=mark)
    listener.states.wait_for(lambda state: state == "CLOSED")


def test_a_token_that_runs_out_ends_the_channel(
    listener: Listener, story: Story, project: SupabaseProject
) -> None:
    listener.new_token(project.token(story.owner, seconds=4))
    listener.listen(f"user:{story.owner}")
    assert ["SUBSCRIBED"] == listener.states.since()
    listener.states.wait_for(lambda state: state in ("CLOSED", "CHANNEL_ERROR"))


TASKS = ("*", "agent_tasks", None)


def subscribed(listener: Listener) -> None:
    """Wait until all that follows is told."""
    listener.system.wait_for(lambda said: said["message"] == "Subscribed to PostgreSQL")


def test_postgres_changes_tell_of_a_task_from_its_beginning_to_its_end(
    listener: Listener, story: Story
) -> None:
    listener.listen("tasks", TASKS, private=False)
    subscribed(listener)
    # One after the other: a row that is gone when the policies are asked is told to nobody.
    task = story.new_task()
    inserted = listener.heard.wait_for(lambda change: change["type"] == "INSERT")
    story.set_task(task, status="completed")
    updated = listener.heard.wait_for(lambda change: change["type"] == "UPDATE")
    story.delete_task(task)
    deleted = listener.heard.wait_for(lambda change: change["type"] == "DELETE")
    assert [inserted, updated, deleted] == listener.heard.since()
    assert ("INSERT", "public", "agent_tasks") == tuple(inserted[k] for k in ("type", "schema", "table"))
    assert ("pending", {"contactId": story.contact}) == (
        inserted["record"]["status"],
        inserted["record"]["input_data"],
    )
    assert ("UPDATE", task, "completed") == (
        updated["type"],
        updated["record"]["id"],
        updated["record"]["status"],
    )
    assert ("DELETE", {"id": task}) == (deleted["type"], deleted["old_record"])


def test_postgres_changes_tell_each_of_their_own_rows_only(
    listener: Listener, running: Running, story: Story
) -> None:
    stranger = Listener(running, story.database.user())
    for one in (listener, stranger):
        one.listen("tasks", TASKS, private=False)
        subscribed(one)
    task = story.new_task()
    listener.heard.wait_for(lambda change: change["type"] == "INSERT")
    story.delete_task(task)
    for one in (listener, stranger):
        one.heard.wait_for(lambda change: change["type"] == "DELETE")  # its key alone, which says nothing
    assert ["DELETE"] == [change["type"] for change in stranger.heard.since()]
    stranger.close()


def test_postgres_changes_can_be_asked_for_by_event_and_by_filter(listener: Listener, story: Story) -> None:
    agent = story.new_agent("Follow-up Agent")
    listener.listen(
        "tasks",
        ("UPDATE", "agent_tasks", f"agent_id=eq.{agent}"),
        ("INSERT", "agent_tasks", "status=in.(failed,completed)"),
        private=False,
    )
    subscribed(listener)
    other = story.new_task()
    story.set_task(other, status="completed")
    wanted = story.new_task(agent_id=agent)
    story.set_task(wanted, status="in_progress")
    story.new_task("failed")
    listener.heard.wait_for(lambda change: change["type"] == "INSERT")
    told = [(change["type"], change["record"]["status"]) for change in listener.heard.since()]
    assert [("UPDATE", "in_progress"), ("INSERT", "failed")] == told


def test_drafts_follow_ups_and_activity_are_published_too(listener: Listener, story: Story) -> None:
    tables = ("agent_outreach_drafts", "agent_followup_schedule", "agent_activity_log")
    listener.listen("all", *(("*", table, None) for table in tables), private=False)
    subscribed(listener)
    rows: dict[str, dict[str, object]] = {
        "agent_outreach_drafts": {},
        "agent_followup_schedule": {"scheduled_for": "2030-01-01T00:00:00Z"},
        "agent_activity_log": {"action": "wrote"},
    }
    for table, columns in rows.items():
        story.insert(table, user_id=story.owner, contact_id=story.contact, **columns)
    listener.heard.wait_for(lambda change: change["table"] == tables[-1])
    assert list(tables) == [change["table"] for change in listener.heard.since()]


def test_a_table_that_is_not_published_is_refused_in_words(listener: Listener) -> None:
    listener.listen("secrets", ("*", "contacts", None), private=False)
    listener.states.wait_for(lambda state: state == "CHANNEL_ERROR")


def test_what_was_missed_while_cut_off_is_not_told_later(
    running: Running, project: SupabaseProject, story: Story, listener: Listener
) -> None:
    """Broadcasts are not guaranteed: why whoever returns must look."""
    listener.listen(f"user:{story.owner}")
    project.realtime.drop_sockets()
    listener.states.wait_for(lambda state: state == "CHANNEL_ERROR")
    story.new_task("failed")
    story.dispatch()
    project.realtime.seen.wait_for(lambda seen: seen.what == "sent" and story.owner in seen.topic)
    again = Listener(running, story.owner)
    again.listen(f"user:{story.owner}")
    story.new_task("failed")
    story.dispatch()
    again.heard.wait_for(lambda message: message["payload"] == {"version": 2})
    assert 1 == len(again.heard.since())
    again.close()
