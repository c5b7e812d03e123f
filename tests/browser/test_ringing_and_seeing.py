"""Notifications come, go by themselves, and go everywhere when they have been seen, in Firefox.

Chromium is the other browser of the same person, in which a contact is opened.
"""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser import hooks
from tests.browser.application import Application, Task
from tests.browser.screen import Screen
from tests.browser.stack import Stack
from tests.stand_ins.firefox import Firefox
from tests.stand_ins.notification_daemon import NotificationDaemon, Shown
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_firefox", "needs_chromium", "nobody_looks")

CLOSES_AFTER_SECONDS = 4.9  # by its own clock 5
UPDATE = """await navigator.serviceWorker.ready;
self.updated = navigator.serviceWorker.register("/sw.js?next", { updateViaCache: "none" });"""
WORKERS = """const all = await navigator.serviceWorker.getRegistrations();
return all.map(({ active, waiting, installing }) =>
  [active?.scriptURL.split("/").pop(), active?.state, waiting, installing]);"""


@pytest.fixture
def nobody_looks(firefox: Firefox, desktop: NotificationDaemon) -> None:
    """Begin each story with no page open in Firefox and nothing on the desktop."""
    firefox.close_all_tabs()
    desktop.clear()


def failed(application: Application, name: str) -> Task:
    task = application.task(application.contact(name))
    task.fail("No address to write to")
    return task


def drafted(application: Application, name: str) -> Task:
    task = application.task(application.contact(name))
    task.draft()
    task.complete()
    return task


def test_with_the_page_in_view_a_notification_goes_after_five_seconds_unless_it_is_a_failure(
    application: Application, firefox: Firefox, desktop: NotificationDaemon, shown: Screen, stack: Stack
) -> None:
    firefox.open(stack.url)
    firefox.wait_for(hooks.READY)
    failed(application, "Hedy Lamarr")
    drafted(application, "Ada Lovelace")
    failure = shown.wait_for("Outreach failed for Hedy Lamarr")
    draft = shown.wait_for("Draft ready for Ada Lovelace")

    desktop.closed.wait_for(lambda closed: closed == draft.id)
    assert CLOSES_AFTER_SECONDS < time.time() - draft.seen_at
    assert failure in desktop.on_screen()


def test_what_is_seen_in_one_browser_goes_in_the_others_with_the_next_push_or_opening(
    page: Page,
    stack: Stack,
    application: Application,
    firefox: Firefox,
    shown: Screen,
    desktop: NotificationDaemon,
) -> None:
    def gone(notification: Shown) -> bool:
        return notification.id not in {one.id for one in desktop.on_screen()}

    ada, grace = failed(application, "Ada Lovelace"), drafted(application, "Grace Hopper")
    about_ada = shown.wait_for("Outreach failed for Ada Lovelace")
    about_grace = shown.wait_for("Draft ready for Grace Hopper")
    page.goto(f"{stack.url}/?contact={ada.contact_id}")
    wait_until(lambda: not application.unseen(ada.contact_id), "Ada is seen")
    assert not gone(about_ada)  # no push is ever sent only to clear

    failed(application, "Emmy Noether")
    shown.wait_for("Outreach failed for Emmy Noether")
    wait_until(lambda: gone(about_ada), "the next push takes it away")
    assert not gone(about_grace)

    page.goto(f"{stack.url}/?contact={grace.contact_id}")
    wait_until(lambda: not application.unseen(grace.contact_id), "Grace is seen")
    firefox.open(stack.url)
    wait_until(lambda: gone(about_grace), "opening the page takes it away")


def test_what_is_seen_in_one_browser_goes_at_once_where_a_page_is_open(
    page: Page,
    stack: Stack,
    application: Application,
    firefox: Firefox,
    shown: Screen,
    desktop: NotificationDaemon,
) -> None:
    task = failed(application, "Radia Perlman")
    notification = shown.wait_for("Outreach failed for Radia Perlman")
    firefox.open(stack.url)
    firefox.wait_for(hooks.badge(task.contact_id, "failed"))
    firefox.wait_for(hooks.updates("live"))

    page.goto(f"{stack.url}/?contact={task.contact_id}")
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Radia Perlman")
    wait_until(
        lambda: firefox.text(hooks.badge(task.contact_id)) is None, "its badge is gone", timeout_seconds=3
    )
    desktop.closed.wait_for(lambda closed: closed == notification.id)


def test_a_follow_up_that_falls_due_rings_and_a_click_shows_it(
    application: Application, firefox: Firefox, desktop: NotificationDaemon, shown: Screen
) -> None:
    contact = application.contact("Katherine Johnson")
    application.plan(contact, "Ask how the landing went", in_hours=-0.01)
    application.the_clock_looks()
    notification = shown.wait_for("Follow-up due: Katherine Johnson")
    assert "Ask how the landing went" in notification.body

    desktop.click(notification)
    firefox.switch_to(f"contact={contact}")
    firefox.wait_for(f"{hooks.FOLLOWUP}[data-due]")
    assert "Ask how the landing went" in (firefox.text(hooks.FOLLOWUP) or "")


def test_a_new_worker_takes_over_while_pushes_arrive_and_none_is_lost(
    application: Application, firefox: Firefox, shown: Screen, stack: Stack
) -> None:
    names = [f"Contact {number}" for number in range(9)]
    tasks = [application.task(application.contact(name)) for name in names]
    firefox.open(stack.url)
    firefox.wait_for(hooks.push("on"))
    for task in tasks[:3]:
        task.fail("No address to write to")
    firefox.evaluate(UPDATE)
    for task in tasks[3:]:
        task.fail("No address to write to")
    for name in names:
        shown.wait_for(f"Outreach failed for {name}")
    assert len(names) == len(shown.titles())
    wait_until(
        lambda: [["sw.js?next", "activated", None, None]] == firefox.evaluate(WORKERS),
        "the new worker is the only one",
    )

    firefox.open(stack.url)  # the page asks for its own again
    wait_until(
        lambda: [["sw.js", "activated", None, None]] == firefox.evaluate(WORKERS), "and it is the only one"
    )
    failed(application, "Sophie Germain")
    shown.wait_for("Outreach failed for Sophie Germain")
