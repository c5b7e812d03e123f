"""Chromium's worker closes what is being looked at, and makes room for a newer one while pushes arrive."""

import time

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.screen import Screen
from tests.browser.stack import Stack
from tests.stand_ins.notification_daemon import NotificationDaemon

pytestmark = pytest.mark.usefixtures("needs_chromium")

CLOSES_AFTER_SECONDS = 4.9  # by the worker's clock 5; Chromium tells it before it tells the desktop
UPDATE = (
    """() => navigator.serviceWorker.register("/sw.js?next", { updateViaCache: "none" }).then(() => true)"""
)
WORKERS = """async name => {
  const all = await navigator.serviceWorker.getRegistrations();
  return all.length === 1 && all.every(({ active, waiting, installing }) =>
    active?.scriptURL.endsWith(name) && active.state === "activated" && !waiting && !installing);
}"""


def test_with_the_page_in_view_a_notification_goes_after_five_seconds_unless_it_is_a_failure(
    subscribed: BrowserContext,
    application: Application,
    desktop: NotificationDaemon,
    shown: Screen,
    stack: Stack,
) -> None:
    page = subscribed.pages[0]
    page.goto(stack.url)
    expect(page.locator(hooks.push("on"))).to_be_visible()
    application.task(application.contact("Hedy Lamarr")).fail("No address to write to")
    application.task(application.contact("Ada Lovelace")).complete()
    failure = shown.wait_for("Outreach failed for Hedy Lamarr")
    finished = shown.wait_for("Outreach finished for Ada Lovelace")

    desktop.closed.wait_for(lambda closed: closed == finished.id)
    assert CLOSES_AFTER_SECONDS < time.time() - finished.seen_at
    assert failure in desktop.on_screen()


def test_a_new_worker_takes_over_while_pushes_arrive_and_none_is_lost(
    subscribed: BrowserContext, application: Application, shown: Screen, stack: Stack
) -> None:
    page = subscribed.pages[0]
    page.goto(stack.url)
    for version in ("next", "newest"):
        names = [f"Contact {version} {number}" for number in range(9)]
        tasks = [application.task(application.contact(name)) for name in names]
        for task in tasks[:3]:
            task.fail("No address to write to")
        page.evaluate(UPDATE, f"/sw.js?{version}")
        for task in tasks[3:]:
            task.fail("No address to write to")
        for name in names:
            shown.wait_for(f"Outreach failed for {name}")
        page.wait_for_function(WORKERS, arg=f"/sw.js?{version}")
    assert 18 == len(shown.titles())

    page.goto(stack.url)  # the page asks for its own again
    page.wait_for_function(WORKERS, arg="/sw.js")
    application.task(application.contact("Sophie Germain")).fail("No address to write to")
    shown.wait_for("Outreach failed for Sophie Germain")
