"""The worker in Chromium: pushes that come twice or overtake each other leave the newest on screen, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")

TAG = "o" * 32
ON_SCREEN = """(tag) => navigator.serviceWorker.ready.then(async (registration) =>
  (await registration.getNotifications({ tag })).map(({ title, silent }) => [title, silent === true]))"""

COUNT_TOLD = """() => {
  self.told = 0;
  navigator.serviceWorker.addEventListener("message", ({ data }) => (self.told += data.type === "push"));
}"""


@pytest.fixture
def push(page: Page, stack: Stack, browser: BrowserContext) -> Callable[[int], None]:
    """Push the event of that number, all of them of one task, and wait until the worker is done with it."""
    page.goto(stack.url)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    # The worker tells its pages of each push.
    page.evaluate(COUNT_TOLD)
    devtools = browser.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated", lambda event: registrations.extend(event["registrations"])
    )
    devtools.send("ServiceWorker.enable")
    while not registrations:  # bounded by the time-out of the page's own calls
        page.evaluate("navigator.serviceWorker.getRegistrations().then(() => 0)")

    def deliver(number: int) -> None:
        told = page.evaluate("self.told")
        data = {"event_id": number, "kind": "failed", "contact_id": "ada", "sticky": True}
        notification = {"title": f"Event {number}", "tag": TAG, "navigate": stack.url, "data": data}
        devtools.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": stack.url,
                "registrationId": registrations[-1]["registrationId"],
                "data": json.dumps({"web_push": 8030, "notification": notification}),
            },
        )
        wait_until(lambda: page.evaluate("self.told") > told, "the worker has the push")

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
