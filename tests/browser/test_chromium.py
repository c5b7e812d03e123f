"""From a row to a ringing Chromium, whose push service is Google's: the second browser, apart from the first.

It stands on an undocumented protocol between Chromium and Google, so it may fail alone.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect, sync_playwright

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.screen import Screen
from tests.browser.stack import Stack
from tests.stand_ins.chromium import chromium
from tests.stand_ins.gcm import Gcm
from tests.stand_ins.notification_daemon import NotificationDaemon
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")


@pytest.fixture
def browser(tmp_path: Path, stack: Stack, gcm: Gcm, desktop: NotificationDaemon) -> Iterator[BrowserContext]:
    """Run a Chromium that was subscribed with the page's own button and has no page open."""
    with (
        sync_playwright() as playwright,
        chromium(playwright, tmp_path, push_service=gcm, dbus_address=desktop.address) as browser,
    ):
        page = browser.pages[0]
        page.goto(stack.url)
        page.click(hooks.NOTIFY_BUTTON)
        expect(page.locator(hooks.push("on"))).to_be_visible(timeout=15_000)
        page.goto("about:blank")
        yield browser


def test_a_draft_rings_with_no_page_open_and_a_click_opens_the_contact_which_is_then_seen(
    browser: BrowserContext,
    application: Application,
    desktop: NotificationDaemon,
    shown: Screen,
    stack: Stack,
) -> None:
    ada = application.contact("Ada Lovelace")
    task = application.task(ada)
    task.draft()
    task.complete()
    notification = shown.wait_for("Draft ready for Ada Lovelace")

    with browser.expect_page() as opened:
        desktop.click(notification)
    page = opened.value
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Ada Lovelace")
    wait_until(lambda: not application.unseen(ada), "the contact is seen")
    page.goto(stack.url)
    expect(page.locator(hooks.card(ada))).to_be_visible()
    expect(page.locator(hooks.badge(ada))).to_have_count(0)
