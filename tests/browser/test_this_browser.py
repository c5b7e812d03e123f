"""Whether this very browser rings: found out and mended at each visit, tested, turned off and on."""

import pytest

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.screen import Screen
from tests.browser.stack import Stack
from tests.stand_ins.autopush import Autopush
from tests.stand_ins.firefox import Firefox
from tests.stand_ins.notification_daemon import NotificationDaemon
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_firefox", "nobody_looks")

SUBSCRIBE_ANEW = """const registration = await navigator.serviceWorker.ready;
const old = await registration.pushManager.getSubscription();
const { applicationServerKey } = old.options;
await old.unsubscribe();
const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
return made.endpoint !== old.endpoint;"""
RENAME = """const form = document.querySelector(args[0]);
form.elements.namedItem("name").value = args[1];
form.requestSubmit();"""
HERE = f'{hooks.BROWSER}[data-here="true"]'


@pytest.fixture
def nobody_looks(firefox: Firefox, desktop: NotificationDaemon) -> None:
    """Begin each story with no page open and nothing on the desktop."""
    firefox.close_all_tabs()
    desktop.clear()


def it_rings(application: Application, shown: Screen, name: str) -> None:
    application.task(application.contact(name)).fail("No address to write to")
    shown.wait_for(f"Outreach failed for {name}")


def visit(firefox: Firefox, stack: Stack) -> None:
    """Open the page, wait until it knows that push is on, and leave."""
    firefox.open(stack.url)
    firefox.wait_for(hooks.push("on"))
    firefox.close_all_tabs()


def test_a_server_that_forgot_this_browser_is_told_again_at_the_next_visit(
    application: Application, firefox: Firefox, stack: Stack, shown: Screen
) -> None:
    application.forget_browsers()
    visit(firefox, stack)
    it_rings(application, shown, "Ada Lovelace")


def test_a_subscription_that_got_another_address_is_told_at_the_next_visit(
    application: Application, firefox: Firefox, stack: Stack, shown: Screen, autopush: Autopush
) -> None:
    firefox.open(stack.url)
    firefox.wait_for(hooks.push("on"))
    assert firefox.evaluate(SUBSCRIBE_ANEW)
    visit(firefox, stack)
    it_rings(application, shown, "Grace Hopper")
    live = "select count(*) from taskbell.subscriptions where origin = %s and retired_at is null"
    wait_until(lambda: stack.sql(live, autopush.origin) == [(1,)], "the old address is retired")


def test_the_settings_tell_how_this_browser_is_and_a_test_rings_here(
    application: Application, firefox: Firefox, stack: Stack, shown: Screen
) -> None:
    firefox.open(f"{stack.url}/?settings")
    firefox.wait_for(HERE)
    row = firefox.text(HERE) or ""
    assert "Firefox on Linux" in row
    assert "This browser" in row
    it_rings(application, shown, "Hedy Lamarr")
    firefox.click(f"{HERE} {hooks.action('test')}")
    shown.wait_for("Notifications work here")
    wait_until(lambda: firefox.text(f"{HERE} {hooks.HEALTH}") == "It rang.", "the worker confirms it")
    firefox.open(f"{stack.url}/?settings")
    firefox.wait_for(HERE)
    assert "Tested now · Last rang now" == firefox.text(f"{HERE} {hooks.HEALTH}")


def test_this_browser_is_renamed(firefox: Firefox, stack: Stack, autopush: Autopush) -> None:
    firefox.open(f"{stack.url}/?settings")
    firefox.click(f"{HERE} {hooks.action('rename')}")
    firefox.evaluate(RENAME, f"{HERE} form", "Firefox at the window")
    wait_until(lambda: "Firefox at the window" in (firefox.text(HERE) or ""), "it has its new name")
    names = "select name from taskbell.subscriptions where origin = %s and retired_at is null"
    assert [("Firefox at the window",)] == stack.sql(names, autopush.origin)


def test_what_is_turned_off_here_stays_off_until_it_is_turned_on_here(
    application: Application, firefox: Firefox, stack: Stack, shown: Screen, autopush: Autopush
) -> None:
    firefox.open(f"{stack.url}/?settings")
    firefox.wait_for(HERE)
    for _ in ("turn off here", "really"):
        firefox.click(f"{HERE} {hooks.action('remove')}")
    firefox.wait_for(hooks.push("off"))
    firefox.open(stack.url)
    firefox.wait_for(hooks.push("off"))
    mark = autopush.requests.mark()
    application.task(application.contact("Silent")).fail("No address to write to")
    wait_until(application.nothing_is_due, "the failure is known")
    # An address that the browser gave up may be tried once more, and is gone.
    assert [] == [request for request in autopush.requests.since(mark) if request.status != 410]

    firefox.click(hooks.NOTIFY_BUTTON)
    firefox.wait_for(hooks.push("on"))
    firefox.close_all_tabs()
    it_rings(application, shown, "Emmy Noether")
    assert ["Outreach failed for Emmy Noether"] == shown.titles()
