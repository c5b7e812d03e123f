"""From a row to a ringing Firefox: with its own push client and decryption, and no page open."""

import pytest

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.approving import approve_a_draft_with_the_notifications_own_button
from tests.browser.reference_sender import ReferenceSender
from tests.browser.screen import Screen
from tests.browser.silence import Silence
from tests.browser.stack import Stack
from tests.stand_ins.autopush import Autopush
from tests.stand_ins.firefox import Firefox
from tests.stand_ins.notification_daemon import NotificationDaemon
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_firefox", "nobody_looks")

RECEIPTS_KEPT = """const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const database = await result(indexedDB.open("taskbell", 1));
const count = await result(database.transaction("receipts").objectStore("receipts").count());
database.close();
return count;"""


@pytest.fixture
def nobody_looks(firefox: Firefox, desktop: NotificationDaemon) -> None:
    """Begin each story with no page open and nothing on the desktop."""
    firefox.close_all_tabs()
    desktop.clear()


def test_a_draft_rings_with_no_page_open_and_a_click_opens_the_contact_which_is_then_seen(
    application: Application, firefox: Firefox, desktop: NotificationDaemon, shown: Screen, stack: Stack
) -> None:
    ada = application.contact("Ada Lovelace")
    task = application.task(ada)
    assert ["about:blank"] == firefox.tabs()

    task.draft()
    task.complete()
    notification = shown.wait_for("Draft ready for Ada Lovelace")
    assert "Outreach" in notification.body
    assert application.unseen(ada)

    desktop.click(notification)
    desktop.closed.wait_for(lambda closed: closed == notification.id)
    firefox.switch_to(f"contact={ada}")
    wait_until(lambda: firefox.text(hooks.CONTACT_NAME) == "Ada Lovelace", "the contact is open")
    wait_until(lambda: not application.unseen(ada), "the contact is seen")
    firefox.open(stack.url)
    firefox.wait_for(hooks.card(ada))
    wait_until(lambda: firefox.text(hooks.badge(ada)) is None, "its badge is gone")


def test_a_click_shows_the_contact_in_the_tab_that_is_open(
    application: Application, firefox: Firefox, desktop: NotificationDaemon, shown: Screen, stack: Stack
) -> None:
    radia = application.contact("Radia Perlman")
    task = application.task(radia)
    firefox.open(stack.url)

    task.draft()
    task.complete()
    desktop.click(shown.wait_for("Draft ready for Radia Perlman"))
    wait_until(lambda: firefox.text(hooks.CONTACT_NAME) == "Radia Perlman", "the contact is open")
    assert 1 == len(firefox.tabs())


def test_a_failure_tells_its_reason(application: Application, shown: Screen) -> None:
    task = application.task(application.contact("Hedy Lamarr"))
    task.fail("No address to write to")
    assert "No address to write to" in shown.wait_for("Outreach failed for Hedy Lamarr").body


def test_a_task_that_ends_without_a_draft_says_that_the_agent_finished(
    application: Application, shown: Screen
) -> None:
    application.task(application.contact("Barbara Liskov")).complete()
    shown.wait_for("Outreach finished for Barbara Liskov")


def test_a_contact_of_somebody_else_is_not_named_and_the_owner_of_the_task_is_told(
    application: Application, shown: Screen
) -> None:
    task = application.task(application.contact_of_somebody_else("Mata Hari"))
    task.draft()
    task.complete()
    notification = shown.wait_for("Draft ready")
    assert "Mata Hari" not in notification.title + notification.body


def test_a_task_deleted_before_it_was_told_never_rings(
    application: Application, shown: Screen, stack: Stack
) -> None:
    task = application.task(application.contact("Nobody"))
    with stack.transaction():
        task.complete()
        task.delete()
    application.task(application.contact("Somebody")).complete()
    shown.wait_for("Outreach finished for Somebody")
    assert ["Outreach finished for Somebody"] == shown.titles()


def test_a_task_that_runs_again_replaces_what_it_showed_before(
    application: Application, desktop: NotificationDaemon, shown: Screen
) -> None:
    task = application.task(application.contact("Grace Hopper"))
    task.fail("The first time")
    shown.wait_for("Outreach failed for Grace Hopper")

    task.run_again()
    task.start()
    task.draft()
    task.complete()
    shown.wait_for("Draft ready for Grace Hopper")
    wait_until(
        lambda: ["Draft ready for Grace Hopper"] == [n.title for n in desktop.on_screen()],
        "only the newer notification is on the screen",
    )


def test_what_came_while_firefox_was_closed_is_shown_when_it_starts(
    application: Application, firefox: Firefox, shown: Screen, autopush: Autopush
) -> None:
    task = application.task(application.contact("Katherine Johnson"))
    firefox.quit()
    mark = autopush.requests.mark()
    task.draft()
    task.complete()
    autopush.requests.wait_for(lambda request: request.status == 201, after=mark)
    firefox.start()
    shown.wait_for("Draft ready for Katherine Johnson")


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", "{}", '{"notification": 7}', '{"notification": {"title": 1}}', None]
)
def test_a_push_that_nobody_understands_still_shows_something(
    stack: Stack, autopush: Autopush, shown: Screen, text: str | None
) -> None:
    [(endpoint, p256dh, auth)] = stack.sql(
        "select endpoint, p256dh, auth from taskbell.subscriptions where origin = %s and retired_at is null",
        autopush.origin,
    )
    sender = ReferenceSender(stack.settings()["VAPID_PRIVATE_KEY"])
    assert 201 == sender.send({"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}}, text)
    assert shown.wait_for_any().title


def test_the_server_learns_that_a_notification_was_shown(
    application: Application, shown: Screen, stack: Stack, autopush: Autopush
) -> None:
    application.task(application.contact("Mary Somerville")).complete()
    seen_at = shown.wait_for("Outreach finished for Mary Somerville").seen_at
    wait_until(
        lambda: bool(
            stack.sql(
                """select id from taskbell.subscriptions
                   where origin = %s and abs(extract(epoch from last_shown_at) - %s) < 10""",
                *(autopush.origin, seen_at),
            )
        ),
        "the subscription tells when it was last shown something",
    )


def test_a_subscription_that_was_lost_is_retired_and_made_anew_at_the_next_visit(
    application: Application, firefox: Firefox, shown: Screen, stack: Stack, autopush: Autopush
) -> None:
    firefox.open(stack.url)
    firefox.wait_for(hooks.push("on"))
    firefox.evaluate(
        """const registration = await navigator.serviceWorker.ready;
           await (await registration.pushManager.getSubscription()).unsubscribe();"""
    )
    firefox.close_all_tabs()
    mark = autopush.requests.mark()
    application.task(application.contact("Emmy Noether")).complete()
    autopush.requests.wait_for(lambda request: request.status == 410, after=mark)

    firefox.open(stack.url)
    firefox.wait_for(hooks.push("on"))
    firefox.close_all_tabs()
    application.task(application.contact("Sophie Germain")).complete()
    shown.wait_for("Outreach finished for Sophie Germain")
    assert [("http_410",)] == stack.sql(
        "select retired_reason from taskbell.subscriptions where origin = %s and retired_at is not null",
        autopush.origin,
    )


def test_a_draft_is_approved_with_the_notifications_own_button_and_no_page(
    application: Application, firefox: Firefox, desktop: NotificationDaemon, shown: Screen
) -> None:
    approve_a_draft_with_the_notifications_own_button(application, desktop, shown)
    assert ["about:blank"] == firefox.tabs()


def test_a_click_in_the_moment_in_which_the_tab_is_left_opens_the_contact_in_another(
    application: Application,
    firefox: Firefox,
    desktop: NotificationDaemon,
    shown: Screen,
    stack: Stack,
    silence: Silence,
) -> None:
    task = application.task(application.contact("Ada Yonath"))
    firefox.open(stack.url)
    firefox.wait_for(hooks.push("on"))
    task.fail("No address to write to")
    notification = shown.wait_for("Outreach failed for Ada Yonath")

    firefox.evaluate("location.href = args[0]", silence.url)
    with silence.asked():
        desktop.click(notification)
        wait_until(lambda: 2 == len(firefox.tabs()), "another tab is open")
        firefox.switch_to(f"contact={task.contact_id}")
        wait_until(lambda: firefox.text(hooks.CONTACT_NAME) == "Ada Yonath", "it shows the contact")


def test_a_receipt_made_offline_is_sent_when_the_network_is_back(
    application: Application, firefox: Firefox, desktop: NotificationDaemon, shown: Screen, stack: Stack
) -> None:
    def told() -> tuple[bool, bool]:
        [(shown_at, closed_at)] = stack.sql(
            """select d.shown_at, d.closed_at from taskbell.deliveries d
               join taskbell.notifications n on n.id = d.notification_id where n.task_id = %s""",
            task.id,
        )
        return shown_at is not None, closed_at is not None

    task = application.task(application.contact("Mary Jackson"))
    task.complete()
    notification = shown.wait_for("Outreach finished for Mary Jackson")
    wait_until(lambda: (True, False) == told(), "the first receipt has come")
    firefox.set_offline(True)
    try:
        desktop.dismiss(notification)
        firefox.open(stack.url)  # the page as it was kept
        wait_until(lambda: 1 == firefox.evaluate(RECEIPTS_KEPT), "the receipt waits")
        assert (True, False) == told()
    finally:
        firefox.set_offline(False)
    firefox.open(stack.url)
    wait_until(lambda: (True, True) == told(), "the receipt has come")
    wait_until(lambda: 0 == firefox.evaluate(RECEIPTS_KEPT), "and waits no more")
