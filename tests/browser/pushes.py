"""Pushes without a push service: DevTools hand them to the worker as they are.

In: a page whose worker is to get them. Out: nothing before the worker has them.
Touches: that browser.
"""

import json
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.stand_ins.record import wait_until

# The worker tells its pages of each push.
COUNT_TOLD = """() => navigator.serviceWorker.ready.then(() => {
  self.told = 0;
  navigator.serviceWorker.addEventListener("message", ({ data }) => (self.told += data.type === "push"));
})"""


class Pushes:
    """Delivers to the worker of the page that is open."""

    def __init__(self, page: Page, browser: BrowserContext) -> None:
        self._page = page
        self._origin = page.evaluate("location.origin")
        page.evaluate(COUNT_TOLD)
        self._devtools = browser.new_cdp_session(page)
        registrations: list[dict[str, Any]] = []
        self._devtools.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: registrations.extend(event["registrations"]),
        )
        self._devtools.send("ServiceWorker.enable")
        while not registrations:  # bounded by the time-out of the page's own calls
            page.evaluate("navigator.serviceWorker.getRegistrations().then(() => 0)")
        self._registration_id = registrations[-1]["registrationId"]

    def deliver(self, **notification: object) -> None:
        """Push one message as the function sends it, and wait until the worker has it."""
        told = self._page.evaluate("self.told")
        message = {"web_push": 8030, "notification": {"navigate": self._origin, **notification}}
        self._devtools.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": self._origin, "registrationId": self._registration_id, "data": json.dumps(message)},
        )
        wait_until(lambda: self._page.evaluate("self.told") > told, "the worker has the push")
