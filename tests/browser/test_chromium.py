"""From a row to a ringing Chromium, whose push service is Google's: the second browser, apart from the first.

It stands on an undocumented protocol between Chromium and Google, so it may fail alone.
"""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.approving import approve_a_draft_with_the_notifications_own_button
from tests.browser.screen import Screen
from tests.browser.silence import Silence
from tests.browser.stack import Stack
from tests.stand_ins.gcm import Gcm
from tests.stand_ins.notification_daemon import NotificationDaemon
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")

WAITING = """() => memory.run("receipts", "readonly", (store, give) => {
  const counted = store.count();
  counted.onsuccess = () => give(counted.result);
})"""


def test_a_draft_rings_with_no_page_open_and_a_click_opens_the_contact_which_is_then_seen(
    subscribed: BrowserContext,
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

    with subscribed.expect_page() as opened:
        desktop.click(notification)
    page = opened.value
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Ada Lovelace")
    wait_until(lambda: not application.unseen(ada), "the contact is seen")
    page.goto(stack.url)
    expect(page.locator(hooks.card(ada))).to_be_visible()
    expect(page.locator(hooks.badge(ada))).to_have_count(0)
    page.close()


def test_a_receipt_made_offline_is_sent_when_the_network_is_back(
    subscribed: BrowserContext, application: Application, shown: Screen, stack: Stack, gcm: Gcm
) -> None:
    def receipts() -> int:
        [(count,)] = stack.sql(
            "select count(*) from taskbell.subscriptions where origin = %s and last_shown_at > %s",
            *(gcm.origin, before),
        )
        return int(count)

    # The push service is reached beside the page's network: pushes come while we cannot be reached.
    [(before,)] = stack.sql("select clock_timestamp()")
    subscribed.set_offline(True)
    application.task(application.contact("Mary Jackson")).complete()
    shown.wait_for("Outreach finished for Mary Jackson")
    [worker] = subscribed.service_workers
    wait_until(lambda: 1 == worker.evaluate(WAITING), "the receipt waits")
    assert 1 == worker.evaluate(f"flushReceipts().then({WAITING})")
    assert 0 == receipts()

    subscribed.set_offline(False)
    page = subscribed.pages[0]
    page.goto(stack.url)
    wait_until(lambda: 1 == receipts(), "the receipt has come")
    assert 0 == worker.evaluate(f"flushReceipts().then({WAITING})")
    page.goto("about:blank")


def test_a_draft_is_approved_with_the_notifications_own_button_and_no_page(
    subscribed: BrowserContext, application: Application, desktop: NotificationDaemon, shown: Screen
) -> None:
    approve_a_draft_with_the_notifications_own_button(application, desktop, shown)
    assert ["about:blank"] == [page.url for page in subscribed.pages]


def test_a_test_rings_here_and_the_worker_confirms_it(
    subscribed: BrowserContext, shown: Screen, stack: Stack
) -> None:
    page = subscribed.pages[0]
    page.goto(f"{stack.url}/?settings")
    here = page.locator(f'{hooks.BROWSER}[data-here="true"]')
    expect(here).to_contain_text("This browser")
    here.locator(hooks.action("test")).click()
    shown.wait_for("Notifications work here")
    expect(here.locator(hooks.HEALTH)).to_have_text("It rang.")
    page.goto("about:blank")


def test_a_follow_up_that_falls_due_rings_and_a_click_shows_it(
    subscribed: BrowserContext, application: Application, desktop: NotificationDaemon, shown: Screen
) -> None:
    contact = application.contact("Katherine Johnson")
    application.plan(contact, "Ask how the landing went", in_hours=-0.01)
    application.the_clock_looks()
    with subscribed.expect_page() as opened:
        desktop.click(shown.wait_for("Follow-up due: Katherine Johnson"))
    expect(opened.value.locator(f"{hooks.FOLLOWUP}[data-due]")).to_contain_text("Ask how the landing went")
    opened.value.close()


def test_a_click_in_the_moment_in_which_the_tab_is_left_opens_the_contact_in_another(
    subscribed: BrowserContext,
    application: Application,
    desktop: NotificationDaemon,
    shown: Screen,
    stack: Stack,
    silence: Silence,
) -> None:
    task = application.task(application.contact("Radia Perlman"))
    leaving = subscribed.pages[0]
    leaving.goto(stack.url)
    expect(leaving.locator(hooks.push("on"))).to_be_visible()
    task.fail("No address to write to")
    notification = shown.wait_for("Outreach failed for Radia Perlman")

    leaving.evaluate("address => { location.href = address }", silence.url)
    with silence.asked(), subscribed.expect_page() as opened:
        desktop.click(notification)
    expect(opened.value.locator(hooks.CONTACT_NAME)).to_have_text("Radia Perlman")
    opened.value.close()
    leaving.goto("about:blank")
