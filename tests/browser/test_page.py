"""The page in Chromium, without a push service: it installs, shows what the worker is pushed, and polls."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.pushes import Pushes
from tests.browser.screen import Screen
from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")

# What the system is asked to show on the app's icon; a browser without a desktop shows it nowhere.
ON_ICON = """() => {
  self.onIcon = [];
  navigator.setAppBadge = async (count) => void self.onIcon.push(count);
  navigator.clearAppBadge = async () => void self.onIcon.push(0);
}"""


def test_the_page_can_be_installed(page: Page, stack: Stack, browser: BrowserContext) -> None:
    page.goto(stack.url)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    devtools = browser.new_cdp_session(page)
    assert [] == devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]


def test_the_worker_shows_what_it_is_pushed(
    page: Page, stack: Stack, browser: BrowserContext, shown: Screen
) -> None:
    page.goto(stack.url)
    Pushes(page, browser).deliver(
        title="Draft ready for Ada Lovelace",
        body="Outreach",
        navigate=f"{stack.url}/?contact=ada",
        tag="a" * 32,
        data={"event_id": 1, "kind": "draft_ready", "contact_id": "ada"},
    )
    assert "Outreach" in shown.wait_for("Draft ready for Ada Lovelace").body
    titles = (
        "navigator.serviceWorker.ready.then(async (r) => (await r.getNotifications()).map((n) => n.title))"
    )
    assert ["Draft ready for Ada Lovelace"] == page.evaluate(titles)


def test_without_a_server_that_holds_requests_the_page_polls_and_says_so(
    page: Page, stack: Stack, application: Application
) -> None:
    def cannot_hold(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"can_hold": False})

    page.route("**/v1/config", cannot_hold)
    page.goto(stack.url)
    expect(page.locator(hooks.updates("polling"))).to_contain_text("checking every 5 s")

    ada = application.contact("Ada Lovelace")
    task = application.task(ada)
    expect(page.locator(hooks.badge(ada, "in_progress"))).to_be_visible(timeout=6_000)
    task.fail("No address to write to")
    expect(page.locator(hooks.badge(ada, "failed"))).to_be_visible(timeout=6_000)


def test_the_number_on_the_icon_follows_the_pushes_and_the_page(
    page: Page, stack: Stack, browser: BrowserContext, application: Application
) -> None:
    contact = application.contact("Grace Hopper")
    page.goto(stack.url)
    pushes = Pushes(page, browser)
    [worker] = browser.service_workers
    worker.evaluate(ON_ICON)
    pushes.deliver(title="Three", tag="three", app_badge=3)
    wait_until(lambda: worker.evaluate("self.onIcon") == [3], "the worker sets it")
    pushes.deliver(title="None", tag="none", app_badge=0)
    wait_until(lambda: worker.evaluate("self.onIcon") == [3, 0], "the worker clears it")

    page.add_init_script(f"({ON_ICON})()")
    application.everything_is_seen()
    page.goto(stack.url)
    page.wait_for_function("() => self.onIcon.at(-1) === 0")
    application.task(contact).fail("No address to write to")
    page.wait_for_function("() => self.onIcon.at(-1) === 1")
    page.locator(hooks.card(contact)).click()
    page.wait_for_function("() => self.onIcon.at(-1) === 0")
