"""Several tabs, one connection; and a page that nobody looked at for long."""

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")

TABS = 10
SET_HIDDEN = """hidden => {
  for (const [name, value] of Object.entries({ hidden, visibilityState: hidden ? "hidden" : "visible" }))
    Object.defineProperty(document, name, { configurable: true, value });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def is_held(request: Request) -> bool:
    """Tell whether a request asks the server to hold its answer until something changes."""
    return request.url.endswith("/v1/inbox") and "prefer" in request.headers


def test_ten_tabs_share_one_connection_and_when_its_tab_goes_the_next_takes_over(
    page: Page, browser: BrowserContext, stack: Stack, application: Application
) -> None:
    held: set[Request] = set()
    browser.on("request", lambda request: held.add(request) if is_held(request) else None)

    def ended(request: Request) -> None:
        held.discard(request)

    browser.on("requestfinished", ended)
    browser.on("requestfailed", ended)

    def holders() -> list[Page]:
        browser.pages[0].title()  # lets Playwright tell what happened meanwhile
        return [tab for request in held if not (tab := request.frame.page).is_closed()]

    ada, grace = application.contact("Ada Lovelace"), application.contact("Grace Hopper")
    page.goto(stack.url)
    behind = [
        browser.new_page() for _ in range(TABS - 1)
    ]  # Playwright's tabs are all visible; a person's are not
    for tab in behind:
        tab.add_init_script(f"({SET_HIDDEN})(true)")
        tab.goto(stack.url, wait_until="commit")
    for tab in (page, *behind):
        expect(tab.locator(hooks.updates("live"))).to_be_visible()

    application.task(ada)
    for tab in (page, *behind):
        expect(tab.locator(hooks.badge(ada, "in_progress"))).to_be_visible()
    wait_until(lambda: [page] == holders(), "the tab that is looked at holds the only request")

    page.close()
    behind[0].evaluate(SET_HIDDEN, arg=False)
    application.task(grace).fail("No address to write to")
    for tab in behind:
        expect(tab.locator(hooks.badge(grace, "failed"))).to_be_visible()
    wait_until(lambda: [behind[0]] == holders(), "the next tab holds the only request")


def test_a_page_hidden_for_long_is_right_again_after_one_request(
    page: Page, stack: Stack, application: Application
) -> None:
    asked: list[Request] = []

    def sleep(route: Route) -> None:
        """Leave a held request without an answer, as a machine that sleeps does."""
        if not is_held(route.request):
            route.continue_()

    task = application.task(application.contact("Radia Perlman"))
    wait_until(application.nothing_is_due, "the task is known")
    page.clock.install()
    page.route("**/v1/inbox", sleep)
    with page.expect_request(is_held):
        page.goto(stack.url)
    badge = page.locator(hooks.badge(task.contact_id))
    expect(badge).to_have_attribute("data-status", "in_progress")

    page.evaluate(SET_HIDDEN, arg=True)
    page.clock.fast_forward(30_000)
    task.fail("No address to write to")
    wait_until(application.nothing_is_due, "the failure is known")
    page.on("request", lambda request: asked.append(request) if request.url.endswith("/v1/inbox") else None)
    page.evaluate(SET_HIDDEN, arg=False)
    expect(badge).to_have_attribute("data-status", "failed")
    assert 1 == len([request for request in asked if not is_held(request)])
    page.unroute_all(behavior="ignoreErrors")
