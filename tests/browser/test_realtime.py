"""Supabase Realtime as the best rung: what comes over it, and what happens unnoticed when it breaks."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from taskbell_local.demo_data import DEMO_USER_ID
from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins.realtime import Happening, Realtime
from tests.stand_ins.realtime_stack import RealtimeStack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")

EMAIL = "ada@example.org"
CHANNEL = f"user:{DEMO_USER_ID}"
HEARTBEAT_MS = 25_000
BAR_MS = 24_000  # longer than what two falls cost, shorter than a held request is given
STATE = """async () => {
  const app = document.querySelector('script[type="module"]').src;
  const { get } = await import(app.replace("app.js", "store.js"));
  const { version, states } = get().inbox;
  return { version, states: states.map((s) => [s.contact_id, s.status, s.event_id]).sort() };
}"""
NEARLY_OVER = """async () => {
  const session = await memory.get("session");
  await memory.set("session", { ...session, expires_at_ms: Date.now() + 30_000 });
}"""
SET_HIDDEN = """hidden => {
  for (const [name, value] of Object.entries({ hidden, visibilityState: hidden ? "hidden" : "visible" }))
    Object.defineProperty(document, name, { configurable: true, value });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(autouse=True, scope="module")
def patience() -> Iterator[None]:
    """Look longer than usual: every change passes through many processes, ten tabs through one machine."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=None)


@pytest.fixture
def realtime(realtime_stack: RealtimeStack) -> Iterator[Realtime]:
    """Realtime, which behaves again after the story."""
    yield realtime_stack.project.realtime
    realtime = realtime_stack.project.realtime
    realtime.refusal, realtime.answers_heartbeats, realtime.admits_sockets = None, True, True
    realtime_stack.not_served.clear()
    wait_until(lambda: realtime.open_sockets == 0, "the story's pages are gone, and their sockets with them")


@pytest.fixture(scope="module")
def people(realtime_stack: RealtimeStack) -> Application:
    """The application of the user who signs in."""
    realtime_stack.project.people[EMAIL] = DEMO_USER_ID
    application = Application(cast("Stack", realtime_stack))
    application.wants_every_notification()
    return application


@pytest.fixture
def live(
    page: Page, realtime: Realtime, realtime_stack: RealtimeStack, people: Application
) -> Iterator[Page]:
    """A page of somebody who is signed in, on the Realtime rung."""
    assert people
    page.clock.install()
    mark = realtime.seen.mark()
    sign_in(page, realtime_stack)
    joined(realtime, mark)
    yield page
    page.close()


def sign_in(page: Page, stack: RealtimeStack) -> None:
    """Open the page, and sign in where nobody is."""
    page.goto(stack.url)
    form = page.get_by_test_id("sign-in")
    expect(form.or_(page.locator(hooks.READY))).to_be_visible()
    if form.is_visible():
        form.locator("[name=email]").fill(EMAIL)
        form.locator("[name=password]").fill("of no importance")
        form.locator("[type=submit]").click()
    expect(page.locator(hooks.updates("live"))).to_be_visible()


def joined(realtime: Realtime, mark: int) -> None:
    """Wait until the user's channel is joined, by the user."""
    wanted = Happening("joined", CHANNEL, DEMO_USER_ID)
    realtime.seen.wait_for(lambda seen: seen == wanted, after=mark)


def is_held(request: Request) -> bool:
    return request.url.endswith("/v1/inbox") and "prefer" in request.headers


def knows_all(page: Page, stack: RealtimeStack) -> bool:
    """Tell whether the page shows every state at the database's version, no more and no less."""
    known: dict[str, Any] = page.evaluate(STATE)
    [(version,)] = stack.sql("select version from taskbell.inboxes where user_id = %s", DEMO_USER_ID)
    states = stack.sql(
        "select contact_id, status, event_id from taskbell.contact_states where user_id = %s", DEMO_USER_ID
    )
    return known == {"version": version, "states": sorted(map(list, states))}


def climb_again(page: Page, realtime: Realtime, people: Application) -> None:
    """Let the bar's time pass and something happen; then Realtime is joined again."""
    mark = realtime.seen.mark()
    page.clock.fast_forward(BAR_MS)
    people.task(people.contact("Somebody New"))
    joined(realtime, mark)


def test_a_badge_appears_by_a_broadcast_and_nothing_is_polled(
    live: Page, realtime: Realtime, people: Application, realtime_stack: RealtimeStack
) -> None:
    asked: list[str] = []
    live.on("request", lambda request: asked.append(request.method) if "/v1/inbox" in request.url else None)
    mark = realtime.seen.mark()
    task = people.task(people.contact("Ada Lovelace"))
    task.draft()
    task.complete()
    badge = live.locator(hooks.badge(task.contact_id, "draft_ready"))
    expect(badge).to_be_visible()
    wait_until(lambda: knows_all(live, realtime_stack), "the page knows all")
    sent = [seen for seen in realtime.seen.since(mark) if seen.what == "sent"]
    assert 1 <= len(asked) <= len(sent) + 1  # one to look once more after joining
    assert 1 == realtime.open_sockets


def test_a_draft_approved_elsewhere_shows_in_the_open_contact(
    live: Page, people: Application, realtime_stack: RealtimeStack
) -> None:
    task = people.task(people.contact("Grace Hopper"))
    task.draft()
    task.complete()
    live.locator(hooks.card(task.contact_id)).click()
    expect(live.locator(f'{hooks.DRAFT}[data-status="draft"]')).to_be_visible()
    people.plan(task.contact_id, "Ask about the compiler")
    expect(live.get_by_text("Ask about the compiler")).to_be_visible(timeout=10_000)
    realtime_stack.sql("update agent_outreach_drafts set status = 'approved' where task_id = %s", task.id)
    expect(live.locator(f'{hooks.DRAFT}[data-status="approved"]')).to_be_visible(timeout=10_000)


def test_cut_in_the_middle_of_a_row_of_changes_nothing_is_missed(
    live: Page, realtime: Realtime, people: Application, realtime_stack: RealtimeStack, complaints: list[str]
) -> None:
    tasks = [people.task(people.contact(f"Number {number}")) for number in range(4)]

    def change(number: int) -> None:
        task = tasks[number % 4]
        steps = (task.run_again, task.start, task.complete, lambda: task.fail("No address"))
        steps[number // 4 % 4]()

    for number in range(10):
        change(number)
    realtime.admits_sockets = False
    realtime.drop_sockets()
    for number in range(10, 20):
        change(number)
    wait_until(people.nothing_is_due, "all is dealt with")
    wait_until(lambda: knows_all(live, realtime_stack), "the page knows all, without Realtime")
    realtime.admits_sockets = True
    climb_again(live, realtime, people)
    for number in range(20, 40):
        change(number)
    wait_until(people.nothing_is_due, "all is dealt with")
    wait_until(lambda: knows_all(live, realtime_stack), "the page knows all, over Realtime")
    expect(live.locator(hooks.TROUBLE)).to_have_count(0)
    complaints[:] = [text for text in complaints if "WebSocket" not in text]


def test_a_refused_join_is_held_polling_and_nobody_notices(
    page: Page, realtime: Realtime, realtime_stack: RealtimeStack, people: Application
) -> None:
    realtime.refusal = "ConnectionRateLimitReached: Too many connected users"
    page.clock.install()
    with page.expect_request(is_held):
        sign_in(page, realtime_stack)
        realtime.seen.wait_for(lambda seen: seen.what == "refused")
    ada = people.contact("Ada Lovelace")
    people.task(ada)
    expect(page.locator(hooks.badge(ada, "in_progress"))).to_be_visible()
    expect(page.locator(hooks.updates("live"))).to_be_visible()
    expect(page.locator(hooks.TROUBLE)).to_have_count(0)
    expect(page.locator(hooks.TOAST)).to_be_empty()

    realtime.refusal = None
    climb_again(page, realtime, people)
    page.close()


def test_a_web_host_without_the_client_is_held_polling_too(
    page: Page, realtime: Realtime, realtime_stack: RealtimeStack, people: Application, complaints: list[str]
) -> None:
    mark = realtime.seen.mark()
    realtime_stack.not_served.add("realtime.js")
    with page.expect_request(is_held):
        sign_in(page, realtime_stack)
    ada = people.contact("Ada Lovelace")
    people.task(ada)
    expect(page.locator(hooks.badge(ada, "in_progress"))).to_be_visible()
    assert "opened" not in {seen.what for seen in realtime.seen.since(mark)}
    assert "404 (Not Found)" in complaints.pop()
    page.close()


def test_unanswered_heartbeats_cost_one_rung_until_they_are_answered(
    live: Page, realtime: Realtime, people: Application
) -> None:
    realtime.answers_heartbeats = False
    mark = realtime.seen.mark()
    with live.expect_request(is_held):
        live.clock.fast_forward(HEARTBEAT_MS + 1000)
        realtime.seen.wait_for(lambda seen: seen.what == "heartbeat", after=mark)
        live.clock.fast_forward(HEARTBEAT_MS + 1000)
    realtime.seen.wait_for(lambda seen: seen.what == "closed", after=mark)
    expect(live.locator(hooks.updates("live"))).to_be_visible()
    realtime.answers_heartbeats = True
    climb_again(live, realtime, people)


def test_a_token_that_runs_out_is_exchanged_and_where_it_cannot_be_one_signs_in(
    live: Page, realtime: Realtime, realtime_stack: RealtimeStack, complaints: list[str]
) -> None:
    project = realtime_stack.project
    mark, refreshes = realtime.seen.mark(), project.refreshes
    live.evaluate(NEARLY_OVER)
    live.clock.fast_forward(HEARTBEAT_MS + 1000)  # every heartbeat asks for a token
    realtime.seen.wait_for(lambda seen: seen.what == "token", after=mark)
    assert refreshes + 1 == project.refreshes

    project.forget_sessions()
    live.evaluate(NEARLY_OVER)
    realtime.end_tokens()
    expect(live.get_by_test_id("sign-in")).to_be_visible()
    wait_until(lambda: realtime.open_sockets == 0, "the socket is closed")
    complaints[:] = [text for text in complaints if "400" not in text]


@pytest.mark.slow
def test_ten_tabs_share_one_socket_and_when_its_tab_goes_the_next_opens_one(
    live: Page,
    browser: BrowserContext,
    realtime: Realtime,
    realtime_stack: RealtimeStack,
    people: Application,
) -> None:
    behind = [browser.new_page() for _ in range(9)]
    for tab in behind:
        tab.add_init_script(f"({SET_HIDDEN})(true)")
        tab.goto(realtime_stack.url, wait_until="commit")
    ada = people.contact("Ada Lovelace")
    task = people.task(ada)
    for tab in (live, *behind):
        expect(tab.locator(hooks.badge(ada, "in_progress"))).to_be_visible()
    assert 1 == realtime.open_sockets

    mark = realtime.seen.mark()
    live.close()
    behind[0].evaluate(SET_HIDDEN, arg=False)
    joined(realtime, mark)
    task.fail("No address")
    for tab in behind:
        expect(tab.locator(hooks.badge(ada, "failed"))).to_be_visible()
    assert 1 == realtime.open_sockets
    for tab in behind:
        tab.close()


def test_leaving_closes_the_socket_and_so_does_looking_elsewhere_for_long(
    live: Page, realtime: Realtime
) -> None:
    mark = realtime.seen.mark()
    live.evaluate(SET_HIDDEN, arg=True)
    live.clock.fast_forward(30_000)
    realtime.seen.wait_for(lambda seen: seen.what == "closed", after=mark)
    mark = realtime.seen.mark()
    live.evaluate(SET_HIDDEN, arg=False)
    joined(realtime, mark)

    live.goto("about:blank")
    wait_until(lambda: realtime.open_sockets == 0, "the socket is closed")
    mark = realtime.seen.mark()
    live.go_back()
    joined(realtime, mark)
    wait_until(lambda: realtime.open_sockets == 1, "one socket is open")
