"""What the browser stories share: a desktop, push services, the running product.

Where a browser is missing they are skipped, and the closing summary says loudly what was not tested.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from taskbell_local.realtime_client import bundle
from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.screen import Screen
from tests.browser.silence import Silence
from tests.browser.stack import Stack
from tests.stand_ins import chromium, notification_daemon
from tests.stand_ins.autopush import Autopush
from tests.stand_ins.background import Background
from tests.stand_ins.chromium import chromium as run_chromium
from tests.stand_ins.firefox import Firefox
from tests.stand_ins.firefox import missing as missing_firefox
from tests.stand_ins.gcm import Gcm
from tests.stand_ins.notification_daemon import NotificationDaemon
from tests.stand_ins.realtime_stack import RealtimeStack

REQUIRED = "TASKBELL_REQUIRE_BROWSERS"
not_tested: dict[str, str] = {}  # what -> why

PATIENCE_MS = 15_000  # of a step and of an expectation: two files run at a time, and more beside them


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and {"needs_firefox", "needs_chromium"} & set(item.fixturenames):
            item.add_marker(pytest.mark.browser)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not not_tested:
        return
    terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
    for what, why in not_tested.items():
        terminalreporter.line(f"NOT TESTED: {what}: {why}", red=True, bold=True)
    terminalreporter.line(f"{REQUIRED}=1 makes this a failure.")


def need(what: str, *lacks: str | None) -> None:
    """Skip, or fail where browsers are required, if the machine lacks anything."""
    why = "; ".join(lack for lack in lacks if lack)
    if not why:
        return
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{why}, and {REQUIRED}=1")
    not_tested[what] = why
    pytest.skip(why)


@pytest.fixture(scope="session")
def needs_firefox() -> None:
    need(
        "the page, and a push shown and clicked, in Firefox", missing_firefox(), notification_daemon.missing()
    )


@pytest.fixture(scope="session")
def needs_chromium() -> None:
    need(
        "the page, and a push shown and clicked, in Chromium",
        chromium.missing(),
        notification_daemon.missing(),
    )


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    with Background() as background:
        yield background


@pytest.fixture(scope="session")
def desktop(background: Background) -> Iterator[NotificationDaemon]:
    with NotificationDaemon(background) as desktop:
        yield desktop


@pytest.fixture(scope="session")
def autopush(background: Background) -> Iterator[Autopush]:
    with Autopush(background) as autopush:
        yield autopush


@pytest.fixture(scope="session")
def gcm(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcm]:
    with Gcm(background, tmp_path_factory.mktemp("gcm")) as gcm:
        yield gcm


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, autopush: Autopush, gcm: Gcm) -> Iterator[Stack]:
    """Run the product as a person does, with our push services beside the known ones."""
    origins = {"EXTRA_PUSH_ORIGINS": f"{autopush.origin} {gcm.origin}"}
    with Stack(tmp_path_factory.mktemp("stack"), origins) as stack:
        yield stack


@pytest.fixture(scope="session")
def application(stack: Stack) -> Application:
    """Speak for the application whose tables are watched; stories come faster than a person's tasks."""
    application = Application(stack)
    application.wants_every_notification()
    return application


@pytest.fixture(scope="session")
def realtime_stack(
    tmp_path_factory: pytest.TempPathFactory, background: Background
) -> Iterator[RealtimeStack]:
    """Run the product beside a Supabase project, with the official Realtime client bundled."""
    need("the page with Supabase Realtime", None if shutil.which("npm") else "npm is not installed")
    folder = tmp_path_factory.mktemp("realtime")
    with RealtimeStack(background, folder, bundle(folder / "vendor")) as stack:
        yield stack


@pytest.fixture
def shown(desktop: NotificationDaemon) -> Screen:
    """Watch the desktop from the beginning of the story."""
    return Screen(desktop)


@pytest.fixture
def silence() -> Iterator[Silence]:
    """Offer a tab somewhere to go and never to arrive."""
    with Silence() as silence:
        yield silence


@pytest.fixture(scope="session")
def one_firefox(
    tmp_path_factory: pytest.TempPathFactory, autopush: Autopush, desktop: NotificationDaemon
) -> Iterator[Firefox]:
    """Run one Firefox for the stories of all modules."""
    profile = tmp_path_factory.mktemp("firefox")
    with Firefox(profile, push_url=autopush.websocket_url, dbus_address=desktop.address) as firefox:
        yield firefox


@pytest.fixture(scope="module")
def firefox(one_firefox: Firefox, stack: Stack, application: Application) -> Firefox:
    """Subscribe Firefox with the page's own button, as the only browser; no page is open."""
    application.forget_browsers()
    one_firefox.open(stack.url)
    one_firefox.wait_for(f"{hooks.NOTIFY_BUTTON}, {hooks.push('on')}")
    if one_firefox.text(hooks.push("on")) is None:  # the first time, or where a story turned it off
        one_firefox.click(hooks.NOTIFY_BUTTON)
    one_firefox.wait_for(hooks.push("on"))
    one_firefox.close_all_tabs()
    return one_firefox


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright,
    tmp_path_factory: pytest.TempPathFactory,
    gcm: Gcm,
    desktop: NotificationDaemon,
) -> Iterator[BrowserContext]:
    """Run one Chromium for all stories of a module."""
    profile = tmp_path_factory.mktemp("chromium")
    with run_chromium(playwright, profile, push_service=gcm, dbus_address=desktop.address) as browser:
        browser.set_default_timeout(PATIENCE_MS)
        yield browser


@pytest.fixture(scope="module")
def subscribed(browser: BrowserContext, stack: Stack, application: Application) -> BrowserContext:
    """Subscribe with the page's own button, as the only browser, and leave no page open."""
    application.forget_browsers()
    page = browser.pages[0]
    page.goto(stack.url)
    page.click(hooks.NOTIFY_BUTTON)
    expect(page.locator(hooks.push("on"))).to_be_visible(timeout=15_000)
    page.goto("about:blank")
    return browser


@pytest.fixture
def complaints() -> list[str]:
    """Return what the page's console complains about; whatever is left at the end is a failure."""
    return []


@pytest.fixture
def page(browser: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """Open a tab, and close every tab at the end."""

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page = browser.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    for tab in browser.pages[1:]:  # the first one keeps the browser alive
        tab.close()
    assert [] == complaints
