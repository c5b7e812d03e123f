"""What the page asks for: little at first, nothing elsewhere, and all of it is there again offline."""

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack

pytestmark = pytest.mark.usefixtures("needs_chromium")

FIRST_LOAD_BYTES = 30_000
SHELL = "caches.open('shell').then(async (c) => (await c.keys()).map((r) => new URL(r.url).pathname))"


def is_file(request: Request) -> bool:
    """Tell whether a request is for a file of the page, not for data."""
    return "/v1/" not in request.url


def test_the_first_load_is_small(page: Page, browser: BrowserContext, stack: Stack) -> None:
    loaded: list[Request] = []
    devtools = browser.new_cdp_session(page)
    devtools.send("Network.clearBrowserCache")
    devtools.send("Network.setBypassServiceWorker", {"bypass": True})
    page.on("requestfinished", lambda request: loaded.append(request) if is_file(request) else None)
    page.goto(stack.url)
    expect(page.locator(hooks.updates("live"))).to_be_visible()
    expect(page.locator(hooks.push("off"))).to_be_visible()
    size = sum(request.sizes()["responseBodySize"] for request in loaded)
    print(f"first load: {size} bytes in {len(loaded)} files")
    assert size < FIRST_LOAD_BYTES, sorted((r.sizes()["responseBodySize"], r.url) for r in loaded)


def test_every_file_that_a_visit_loads_is_kept_and_comes_from_here(
    page: Page, stack: Stack, application: Application
) -> None:
    asked: list[Request] = []

    def ask(request: Request) -> None:
        asked.append(request)

    page.on("request", ask)
    contact = application.contact("Ada Lovelace")
    page.add_init_script("localStorage.setItem('taskbell-language', 'de')")
    for address, view in {"/": "list", f"/?contact={contact}": "contact", "/?settings": "settings"}.items():
        page.goto(stack.url + address)
        expect(page.locator(hooks.READY)).to_be_attached()
        expect(page.locator(hooks.VIEWS[view])).to_be_visible()
        page.wait_for_load_state("load")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.evaluate("localStorage.clear()")

    assert [] == [request.url for request in asked if not request.url.startswith(f"{stack.url}/")]
    paths = {request.url.removeprefix(stack.url).split("?")[0] for request in asked if is_file(request)}
    assert {"/js/texts.de.js", "/js/contact-view.js", "/js/settings.js"} < paths
    assert set() == {path for path in paths if path not in page.evaluate(SHELL)} - {"/sw.js"}


def test_what_was_read_online_is_read_again_offline(
    page: Page, browser: BrowserContext, stack: Stack, application: Application, complaints: list[str]
) -> None:
    task = application.task(application.contact("Grace Hopper"))
    task.draft("Your compiler")
    other = application.contact("Hedy Lamarr")
    page.goto(f"{stack.url}/?contact={task.contact_id}")
    expect(page.locator(hooks.DRAFT)).to_contain_text("Your compiler")
    expect(page.locator(hooks.badge(task.contact_id, "in_progress"))).to_be_visible()
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    for what in ("inbox", "opened"):
        page.wait_for_function(hooks.REMEMBERED, arg=[what, task.contact_id])

    browser.set_offline(True)
    page.reload()
    expect(page.locator(hooks.DRAFT)).to_contain_text("Your compiler")
    expect(page.locator(hooks.badge(task.contact_id, "in_progress"))).to_be_visible()
    expect(page.locator(hooks.TROUBLE)).to_contain_text("You are offline. Last checked")
    page.locator(hooks.card(other)).click()
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Hedy Lamarr")
    expect(page.get_by_test_id("away")).to_contain_text("not opened here before")

    task.fail("No address to write to")
    browser.set_offline(False)
    expect(page.locator(hooks.badge(task.contact_id, "failed"))).to_be_visible()
    expect(page.locator(hooks.TROUBLE)).to_have_count(0)
    expect(page.locator(hooks.DRAFT)).to_have_count(0)
    expect(page.locator(hooks.ASSIGN_FORM)).to_be_visible()  # the contact that was away has come
    complaints[:] = [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text]
