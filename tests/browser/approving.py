"""The story of a draft that is approved on the desktop, told in each browser that rings."""

from tests.browser.application import Application
from tests.browser.screen import Screen
from tests.stand_ins.notification_daemon import NotificationDaemon
from tests.stand_ins.record import wait_until


def approve_a_draft_with_the_notifications_own_button(
    application: Application, desktop: NotificationDaemon, shown: Screen
) -> None:
    """Press the button; the draft is approved, the contact seen, and the desktop says so."""
    task = application.task(application.contact("Maryam Mirzakhani"))
    task.draft()
    task.complete()
    notification = shown.wait_for("Draft ready for Maryam Mirzakhani")
    button = notification.actions[notification.actions.index("Approve draft") - 1]

    desktop.click(notification, button)
    wait_until(lambda: "approved" == task.draft_status(), "the draft is approved")
    wait_until(lambda: not application.unseen(task.contact_id), "the contact is seen")
    assert "Maryam Mirzakhani" in shown.wait_for("Draft approved").body
