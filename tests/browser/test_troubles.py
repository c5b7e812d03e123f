"""Whatever goes wrong, the page says in a sentence what to do, shows what it has, and goes on by itself."""

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.complaints import ComplaintsBut
from tests.browser.stack import Stack

pytestmark = pytest.mark.usefixtures("needs_chromium")

# A worker whose file is not there; everything else is the browser's own.
NO_WORKER = """const container = navigator.serviceWorker;
const register = container.register.bind(container);
container.register = (_, options) => register("/not-there.js", options);"""
HEAL = "delete navigator.serviceWorker.register"


@pytest.fixture
def complaints() -> list[str]:
    """Forgive the browser that it mentions each failed request in its console."""
    return ComplaintsBut("Failed to load resource", "A bad HTTP response code (404)")


@pytest.fixture
def page(page: Page, browser: BrowserContext) -> Iterator[Page]:
    """Let the tab ask the server itself, so that stories can stand between them."""
    devtools = browser.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.setBypassServiceWorker", {"bypass": True})
    yield page
    page.unroute_all(behavior="ignoreErrors")


@pytest.fixture
def fresh_url(stack: Stack) -> str:
    """Return the stack's address under its other name: what is kept under the first is not known here."""
    return stack.url.replace("localhost", "127.0.0.1")


def fail_with(status: int | Literal["no answer"]) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        if status == "no answer":
            route.abort()
        else:
            route.fulfill(status=status, json={"error": {"reason": "broken", "message": "Broken."}})

    return answer


@pytest.mark.parametrize("failure", ["no answer", 503])
def test_a_first_visit_while_the_server_is_away_says_so_and_goes_on_when_it_is_back(
    page: Page, fresh_url: str, failure: int | Literal["no answer"]
) -> None:
    page.route("**/v1/**", fail_with(failure))
    page.clock.install()
    page.goto(fresh_url)
    page.evaluate("memory.clear()")
    page.reload()
    expect(page.locator(hooks.TROUBLE)).to_contain_text("The server cannot be reached.")
    # The page would try by itself, and the button go.
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 0.5"))
    page.unroute_all()
    page.get_by_role("button", name="Try now").click()
    page.clock.resume()
    expect(page.locator(hooks.READY)).to_be_attached()
    expect(page.locator(hooks.TROUBLE)).to_have_count(0)


def test_a_button_that_fails_says_so_and_can_be_pressed_again(
    page: Page, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Ada Lovelace"))
    task.draft()
    task.complete()
    page.goto(f"{stack.url}/?contact={task.contact_id}")
    page.route("**/v1/drafts/**", fail_with(500))
    page.click(hooks.action("approve"))
    expect(page.locator(hooks.TOAST)).to_have_text("That did not work. Please try again.")
    assert "draft" == task.draft_status()

    page.unroute_all()
    page.click(hooks.action("approve"))
    expect(page.locator(f'{hooks.DRAFT}[data-status="approved"]')).to_be_visible()


def test_settings_that_cannot_be_read_appear_when_the_server_is_back(
    page: Page, stack: Stack, application: Application
) -> None:
    page.route("**/v1/preferences", fail_with(500))
    page.route("**/v1/subscriptions", fail_with(500))
    page.goto(f"{stack.url}/?settings")
    cannot = page.get_by_text("The settings cannot be read now.")
    expect(cannot).to_have_count(2)
    page.unroute_all()
    application.task(application.contact("Grace Hopper"))  # the next news
    expect(page.locator(hooks.preference("digest"))).to_be_visible()
    expect(cannot).to_have_count(0)


def test_a_part_of_the_page_that_cannot_be_loaded_says_so_and_shows_the_way_on(
    page: Page, stack: Stack
) -> None:
    page.route("**/js/settings.js", fail_with("no answer"))
    page.goto(f"{stack.url}/?settings")
    expect(page.get_by_text("This part of the page could not be loaded.")).to_be_visible()
    expect(page.locator("#side").get_by_role("link", name="Contacts")).to_be_visible()
    page.unroute_all()
    page.get_by_role("link", name="Try again").click()
    expect(page.locator(hooks.preference("digest"))).to_be_visible()


def test_a_worker_that_cannot_be_loaded_is_explained_and_tried_again(
    page: Page, stack: Stack, application: Application
) -> None:
    page.add_init_script(NO_WORKER)
    page.goto(stack.url)
    expect(page.locator(hooks.push("broken"))).to_contain_text("Push did not start")
    page.click(hooks.action("help"))
    expect(page.locator(hooks.PUSH_HELP)).to_contain_text("/sw.js cannot be loaded")
    task = application.task(application.contact("Hedy Lamarr"))
    expect(page.locator(hooks.badge(task.contact_id, "in_progress"))).to_be_visible()

    page.evaluate(HEAL)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(hooks.push("on"))).to_be_visible()


def test_a_page_whose_program_does_not_come_says_after_a_while_what_to_do(page: Page, stack: Stack) -> None:
    page.route("**/js/app.js", fail_with("no answer"))
    page.goto(stack.url)
    advice = page.get_by_text("Reload the page")
    expect(advice).to_have_css("visibility", "hidden")
    page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")  # nine seconds
    expect(advice).to_have_css("visibility", "visible")
