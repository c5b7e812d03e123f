"""The page itself in Firefox, where it works as in Chromium: read, decide, ask, set, and read offline."""

from collections.abc import Callable, Iterator

import pytest

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins.firefox import Firefox
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_firefox")

ESCAPE = "\ue00c"  # WebDriver 17.4.2
STANDS_STILL = "return document.querySelector(args[0])?.getAnimations().length === 0;"
CHOOSE = """const field = document.querySelector(args[0]);
field.value = args[1];
field.dispatchEvent(new Event("change", { bubbles: true }));"""
FAIL = """const real = self.fetch;
self.fetch = (address, ...more) => self.broken && String(address).includes(args[0])
  ? Promise.resolve(new Response("{}", { status: 500 })) : real(address, ...more);
self.broken = true;"""


@pytest.fixture
def is_set(application: Application) -> Iterator[Callable[[str, object], None]]:
    """Wait until the server holds a preference; at the end all are as they were."""

    def wait(name: str, value: object) -> None:
        wait_until(lambda: value == application.preferences()[name], f"{name} is kept")

    yield wait
    application.prefer(kinds=None, quiet_hours=None, time_zone=None)


def says(firefox: Firefox, css: str, text: str) -> None:
    wait_until(lambda: text in " ".join((firefox.text(css) or "").split()), f"{css} says {text}")


def open_contact(firefox: Firefox, contact_id: str) -> None:
    """Press a contact's card as a person does: one that stands still."""
    wait_until(lambda: firefox.evaluate(STANDS_STILL, hooks.card(contact_id)), "the card stands still")
    firefox.click(hooks.card(contact_id))


def test_a_draft_is_read_and_approved_and_its_agent_asked_for_more(
    firefox: Firefox, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Ada Lovelace"))
    firefox.open(stack.url)
    firefox.wait_for(hooks.badge(task.contact_id, "in_progress"))
    task.draft("Your notes on the engine")
    task.complete()
    firefox.wait_for(hooks.badge(task.contact_id, "draft_ready"))

    open_contact(firefox, task.contact_id)
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


def test_each_agent_has_a_badge_of_its_own_and_follow_ups_and_activity_appear_while_one_looks(
    firefox: Firefox, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Emmy Noether"))
    other = application.task(task.contact_id, application.another_agent("Follow-up"))
    badges = f"{hooks.card(task.contact_id)} .badges"
    firefox.open(stack.url)
    says(firefox, badges, "Working Follow-up Working Outreach")
    other.fail("No address to write to")
    task.draft()
    task.complete()
    says(firefox, badges, "Failed Follow-up Draft ready Outreach")

    open_contact(firefox, task.contact_id)
    says(firefox, hooks.DRAFT, "Shall we talk?")
    application.plan(task.contact_id, "Ask how the landing went")
    says(firefox, hooks.FOLLOWUP, "Ask how the landing went")
    application.log(task.contact_id, "draft_created")
    says(firefox, '[data-testid="part-activity"]', "Draft created")
    task.decide("sent")
    says(firefox, f'{hooks.DRAFT}[data-status="sent"]', "Sent")


def test_settings_are_kept_one_after_the_other(
    firefox: Firefox, stack: Stack, is_set: Callable[[str, object], None]
) -> None:
    firefox.open(f"{stack.url}/?settings")
    firefox.wait_for(hooks.preference("digest"))
    firefox.click(hooks.preference("kind:completed"))
    firefox.click(hooks.preference("quiet"))
    for name, value in (("from", "20:15"), ("until", "06:30"), ("time_zone", "Pacific/Kiritimati")):
        firefox.wait_for(hooks.preference(name))
        firefox.evaluate(CHOOSE, hooks.preference(name), value)
    is_set("quiet_hours", {"from": "20:15", "until": "06:30"})
    is_set("time_zone", "Pacific/Kiritimati")
    is_set("kinds", {"draft_ready": True, "completed": False, "failed": True, "followup_due": True})


def test_a_failed_task_is_tried_again_and_a_draft_is_rejected(
    firefox: Firefox, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Hedy Lamarr"))
    task.draft("Frequency hopping")
    task.fail("No address to write to")
    firefox.open(f"{stack.url}/?contact={task.contact_id}")
    says(firefox, f'{hooks.TASK}[data-status="failed"]', "No address to write to")
    firefox.click(hooks.action("retry"))
    says(firefox, f'{hooks.TASK}[data-status="pending"]', "Waiting")
    assert "pending" == task.status()
    firefox.click(hooks.action("reject"))
    says(firefox, f'{hooks.DRAFT}[data-status="rejected"]', "Rejected")
    assert "rejected" == task.draft_status()


def test_a_page_in_german_stays_german(
    firefox: Firefox, stack: Stack, is_set: Callable[[str, object], None]
) -> None:
    firefox.open(f"{stack.url}/?settings")
    for language, heading in (("de", "Einstellungen"), ("en", "Settings")):
        firefox.wait_for(hooks.preference("language"))
        firefox.evaluate(CHOOSE, hooks.preference("language"), language)
        says(firefox, hooks.VIEWS["settings"], heading)
        is_set("language", language)


def test_a_button_that_fails_says_so_and_can_be_pressed_again(
    firefox: Firefox, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Radia Perlman"))
    task.draft()
    firefox.open(f"{stack.url}/?contact={task.contact_id}")
    firefox.wait_for(hooks.action("approve"))
    firefox.evaluate(FAIL, "/v1/drafts/")
    firefox.click(hooks.action("approve"))
    says(firefox, hooks.TOAST, "That did not work. Please try again.")
    assert "draft" == task.draft_status()
    firefox.evaluate("self.broken = false")
    firefox.click(hooks.action("approve"))
    says(firefox, f'{hooks.DRAFT}[data-status="approved"]', "Approved")
