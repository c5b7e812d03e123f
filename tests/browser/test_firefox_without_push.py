"""Where push is not to be had the open page still shows every change, and says how it gets them."""

import time
from pathlib import Path

import pytest

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins.autopush import Autopush
from tests.stand_ins.firefox import NOWHERE_PORT, Firefox
from tests.stand_ins.notification_daemon import NotificationDaemon

pytestmark = pytest.mark.usefixtures("needs_firefox")

AT_ONCE_SECONDS = 2.0  # far below the 5 s between two polls


def badge_follows_the_task(firefox: Firefox, application: Application) -> float:
    """Take a task from pending to its end; return the longest time that the badge took, in seconds."""
    contact = application.contact("Ada Lovelace")
    task = application.task(contact)
    firefox.wait_for(hooks.updates("live"))
    firefox.wait_for(hooks.badge(contact, "in_progress"), timeout_seconds=5)

    task.draft()
    started = time.monotonic()
    task.complete()
    firefox.wait_for(hooks.badge(contact, "draft_ready"), timeout_seconds=5)
    return time.monotonic() - started


def test_notifications_denied(
    tmp_path: Path, stack: Stack, application: Application, autopush: Autopush, desktop: NotificationDaemon
) -> None:
    with Firefox(
        tmp_path,
        push_url=autopush.websocket_url,
        dbus_address=desktop.address,
        notifications_allowed=False,
    ) as firefox:
        firefox.open(stack.url)
        firefox.wait_for(hooks.push("denied"))
        assert "Push blocked" in (firefox.text(hooks.STATUS_LINE) or "")
        assert badge_follows_the_task(firefox, application) < AT_ONCE_SECONDS


def test_push_service_out_of_reach(
    tmp_path: Path, stack: Stack, application: Application, desktop: NotificationDaemon
) -> None:
    with Firefox(
        tmp_path, push_url=f"ws://127.0.0.1:{NOWHERE_PORT}/", dbus_address=desktop.address
    ) as firefox:
        firefox.open(stack.url)
        firefox.click(hooks.NOTIFY_BUTTON)
        firefox.wait_for(hooks.push("unreachable"), timeout_seconds=15)
        assert "out of reach" in (firefox.text(hooks.STATUS_LINE) or "")
        assert badge_follows_the_task(firefox, application) < AT_ONCE_SECONDS
