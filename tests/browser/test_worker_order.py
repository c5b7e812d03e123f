"""The worker in Chromium: pushes that come twice or overtake each other leave the newest on screen, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.pushes import Pushes
from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")

TAG = "o" * 32
ON_SCREEN = """(tag) => navigator.serviceWorker.ready.then(async (registration) =>
  (await registration.getNotifications({ tag })).map(({ title, silent }) => [title, silent === true]))"""


@pytest.fixture
def push(page: Page, stack: Stack, browser: BrowserContext) -> Callable[[int], None]:
    """Push the event of that number, all of them of one task, and wait until the worker is done with it."""
    page.goto(stack.url)
    pushes = Pushes(page, browser)

    def deliver(number: int) -> None:
        data = {"event_id": number, "kind": "failed", "contact_id": "ada", "sticky": True}
        pushes.deliver(title=f"Event {number}", tag=TAG, data=data)

    return deliver


def test_the_newest_of_a_task_stays_on_screen_once_however_its_pushes_arrive(
    push: Callable[[int], None], page: Page
) -> None:
    def shows(number: int, *, silent: bool) -> None:
        wanted = [[f"Event {number}", silent]]
        wait_until(lambda: wanted == page.evaluate(ON_SCREEN, TAG), f"event {number} is shown, once")

    push(5)
    shows(5, silent=False)
    push(5)  # again: it replaces itself without a sound
    shows(5, silent=True)
    push(6)
    shows(6, silent=False)
    push(5)  # late
    shows(6, silent=True)
