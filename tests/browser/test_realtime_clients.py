"""Realtime in other hands: Firefox, and pages of an older kind that listen to the tables themselves."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from playwright.sync_api import Page

from taskbell_local.demo_data import DEMO_USER_ID
from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins.firefox import Firefox
from tests.stand_ins.realtime_stack import RealtimeStack
from tests.stand_ins.record import wait_until

# What such a page does with the official client; it tells a function of the test's what it hears.
OLD_STYLE = """async ({ project, key, token, table, filter, topic }) => {
  const app = document.querySelector('script[type="module"]').src;
  const { RealtimeClient } = await import(app.replace("js/app.js", "vendor/realtime.js"));
  const client = new RealtimeClient(`${project}/realtime/v1`, { params: { apikey: key } });
  await client.setAuth(token);
  const channel = client.channel(topic, { config: { private: topic.startsWith("user:") } });
  if (table)
    channel.on("postgres_changes", { event: "*", schema: "public", table, filter },
      ({ eventType, new: now, old }) => window.heard([eventType, now.id ?? old.id, now.status ?? null]));
  channel.on("system", {}, ({ message }) => window.heard([message]));
  channel.subscribe((status, error) => window.heard([status, error?.message ?? null]));
}"""


@pytest.fixture(scope="module")
def people(realtime_stack: RealtimeStack) -> Application:
    """The application of the user who signs in."""
    realtime_stack.project.people["ada@example.org"] = DEMO_USER_ID
    return Application(cast("Stack", realtime_stack))


@pytest.fixture
def heard(page: Page, realtime_stack: RealtimeStack) -> Iterator[list[Any]]:
    """Open a page that can tell the test what it hears, and return that."""
    heard: list[Any] = []

    def hear(item: list[Any]) -> None:
        heard.append(item)

    page.expose_function("heard", hear)
    page.goto(realtime_stack.url)
    yield heard
    page.close()


def listen(page: Page, stack: RealtimeStack, user_id: str, **wishes: str | None) -> None:
    """Let a page listen in the old way, as a user."""
    project = stack.project
    told = {"project": project.url, "key": project.publishable_key, "token": project.token(user_id)}
    page.evaluate(OLD_STYLE, told | {"topic": "tasks", "table": "agent_tasks", "filter": None} | wishes)


def wait_for(page: Page, heard: list[Any], item: list[Any]) -> None:
    """Wait until the page has told of something."""

    def told() -> bool:
        page.evaluate("0")  # lets Playwright tell what happened meanwhile
        return item in heard

    wait_until(told, f"{item} is heard")


@pytest.mark.usefixtures("needs_chromium")
def test_a_page_that_listens_to_its_users_tasks_hears_of_each_change_and_of_no_others(
    page: Page, heard: list[Any], realtime_stack: RealtimeStack, people: Application
) -> None:
    listen(page, realtime_stack, DEMO_USER_ID, filter=f"user_id=eq.{DEMO_USER_ID}")
    wait_for(page, heard, ["Subscribed to PostgreSQL"])
    strange = people.contact_of_somebody_else("Mata Hari")
    realtime_stack.sql(
        "insert into agent_tasks (user_id, status) select user_id, 'failed' from contacts where id = %s",
        strange,
    )
    task = people.task(people.contact("Ada Lovelace"))
    wait_for(page, heard, ["UPDATE", task.id, "in_progress"])
    task.complete()
    wait_for(page, heard, ["UPDATE", task.id, "completed"])
    task.delete()
    wait_for(page, heard, ["DELETE", task.id, None])
    told = [item for item in heard if item[0] in ("INSERT", "UPDATE", "DELETE")]
    assert {task.id} == {item[1] for item in told}
    assert ["UPDATE", "UPDATE", "DELETE"] == [item[0] for item in told if item[0] != "INSERT"]


@pytest.mark.usefixtures("needs_chromium")
def test_another_users_page_hears_of_none_of_them(
    page: Page, heard: list[Any], realtime_stack: RealtimeStack, people: Application
) -> None:
    stranger = realtime_stack.person("mata@example.org")
    listen(page, realtime_stack, stranger)
    wait_for(page, heard, ["Subscribed to PostgreSQL"])
    people.task(people.contact("Ada Lovelace")).complete()
    [(own,)] = realtime_stack.sql(
        "insert into agent_tasks (user_id) values (%s) returning id::text", stranger
    )
    wait_for(page, heard, ["INSERT", own, "pending"])
    assert [["INSERT", own, "pending"]] == [item for item in heard if item[0] in ("INSERT", "UPDATE")]


@pytest.mark.usefixtures("needs_chromium")
def test_somebody_elses_channel_is_refused(
    page: Page, heard: list[Any], realtime_stack: RealtimeStack
) -> None:
    stranger = realtime_stack.person("mata2@example.org")
    topic = f"user:{DEMO_USER_ID}"
    listen(page, realtime_stack, stranger, topic=topic, table=None)
    refusal = f"Unauthorized: You do not have permissions to read from this Channel topic: {topic}"
    wait_for(page, heard, ["CHANNEL_ERROR", refusal])


@pytest.mark.usefixtures("needs_firefox", "people")
def test_firefox_shows_a_badge_by_a_broadcast_lives_through_a_cut_and_leaves_nothing_open(
    one_firefox: Firefox, realtime_stack: RealtimeStack, people: Application
) -> None:
    realtime = realtime_stack.project.realtime
    mark = realtime.seen.mark()
    one_firefox.open(realtime_stack.url)
    one_firefox.wait_for('[data-testid="sign-in"]')
    fill = "for (const [name, value] of args) document.querySelector(`[name=${name}]`).value = value;"
    one_firefox.evaluate(fill, ["email", "ada@example.org"], ["password", "of no importance"])
    one_firefox.click('[data-testid="sign-in"] [type=submit]')
    realtime.seen.wait_for(lambda seen: seen.what == "joined", after=mark)

    task = people.task(people.contact("Ada Lovelace"))
    one_firefox.wait_for(hooks.badge(task.contact_id, "in_progress"))
    realtime.drop_sockets()
    task.fail("No address")
    one_firefox.wait_for(hooks.badge(task.contact_id, "failed"))
    assert one_firefox.text(hooks.updates("live")) is not None
    one_firefox.close_all_tabs()
    wait_until(lambda: realtime.open_sockets == 0, "no socket is left")
