"""The page itself in Firefox, where it has to work as in Chromium: read, decide, ask, and read offline."""

import pytest

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins.firefox import Firefox
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_firefox")

ESCAPE = "\ue00c"  # WebDriver 17.4.2


def says(firefox: Firefox, css: str, text: str) -> None:
    wait_until(lambda: text in (firefox.text(css) or ""), f"{css} says {text}")


def test_a_draft_is_read_and_approved_and_its_agent_asked_for_more(
    firefox: Firefox, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Ada Lovelace"))
    firefox.open(stack.url)
    firefox.wait_for(hooks.badge(task.contact_id, "in_progress"))
    task.draft("Your notes on the engine")
    task.complete()
    firefox.wait_for(hooks.badge(task.contact_id, "draft_ready"))

    firefox.click(hooks.card(task.contact_id))
    says(firefox, hooks.DRAFT, "Your notes on the engine")
    wait_until(lambda: firefox.text(hooks.badge(task.contact_id)) is None, "its badge is gone")
    firefox.click(hooks.action("approve"))
    says(firefox, f'{hooks.DRAFT}[data-status="approved"]', "Approved")
    assert "approved" == task.draft_status()
    firefox.click(f'{hooks.ASSIGN_FORM} [data-agent-id="{application.agent_id}"]')
    firefox.click(hooks.ASSIGN_BUTTON)
    says(firefox, f'{hooks.TASK}[data-status="pending"]', "Waiting")
    says(firefox, hooks.badge(task.contact_id, "pending"), "Outreach")

    firefox.press(ESCAPE)
    wait_until(lambda: firefox.text(hooks.CONTACT_NAME) is None, "the list is back")


def test_what_was_read_online_is_read_again_offline(
    firefox: Firefox, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Grace Hopper"))
    task.draft("Your compiler")
    address = f"{stack.url}/?contact={task.contact_id}"
    firefox.open(address)
    says(firefox, hooks.DRAFT, "Your compiler")
    firefox.wait_for(hooks.badge(task.contact_id, "in_progress"))

    firefox.set_offline(True)
    try:
        firefox.open(address)
        says(firefox, hooks.DRAFT, "Your compiler")
        firefox.wait_for(hooks.badge(task.contact_id, "in_progress"))
        says(firefox, hooks.trouble("offline"), "You are offline. Last checked")
        task.fail("No address to write to")
    finally:
        firefox.set_offline(False)
    firefox.wait_for(hooks.badge(task.contact_id, "failed"))
    wait_until(lambda: firefox.text(hooks.TROUBLE) is None, "nothing is wrong any more")
