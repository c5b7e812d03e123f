"""The contact's view as a person uses it: read what agents left, decide, ask for more, find the way back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")

FRESH_MS = 5 * 60_000  # how long a draft is highlighted


def open_contact(page: Page, stack: Stack, contact_id: str, name: str) -> None:
    """Open a contact as a link does."""
    page.goto(f"{stack.url}/?contact={contact_id}")
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text(name)


@pytest.mark.parametrize(
    ("button", "status", "says"), [("approve", "approved", "Approved"), ("reject", "rejected", "Rejected")]
)
def test_a_draft_is_decided_with_one_click(
    page: Page, stack: Stack, application: Application, button: str, status: str, says: str
) -> None:
    task = application.task(application.contact("Ada Lovelace"))
    task.draft()
    task.complete()
    open_contact(page, stack, task.contact_id, "Ada Lovelace")
    page.click(hooks.action(button))
    expect(page.locator(f'{hooks.DRAFT}[data-status="{status}"]')).to_contain_text(says)
    expect(page.locator(hooks.action(button))).to_have_count(0)
    assert status == task.draft_status()


def test_a_failed_task_is_tried_again_with_one_click(
    page: Page, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Hedy Lamarr"))
    task.fail("No address to write to")
    open_contact(page, stack, task.contact_id, "Hedy Lamarr")
    expect(page.locator(f'{hooks.TASK}[data-status="failed"]')).to_contain_text("No address to write to")

    page.click(hooks.action("retry"))
    expect(page.locator(f'{hooks.TASK}[data-status="pending"]')).to_be_visible()
    assert "pending" == task.status()


def test_a_draft_that_arrives_while_its_contact_is_open_appears_by_itself(
    page: Page, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Grace Hopper"))
    open_contact(page, stack, task.contact_id, "Grace Hopper")
    expect(page.locator(hooks.updates("live"))).to_be_visible()
    expect(page.locator(hooks.DRAFT)).to_have_count(0)

    task.draft("Your compiler")
    task.complete()
    expect(page.locator(hooks.DRAFT)).to_contain_text("Your compiler")
    expect(page.locator(hooks.ANNOUNCER)).to_have_text("Draft ready for Grace Hopper, by Outreach")


def test_an_agent_is_given_a_task_with_a_note(page: Page, stack: Stack, application: Application) -> None:
    contact = application.contact("Katherine Johnson")
    open_contact(page, stack, contact, "Katherine Johnson")
    form = page.locator(hooks.ASSIGN_FORM)
    form.locator(f'[data-agent-id="{application.agent_id}"]').check(force=True)  # its label is what one sees
    form.get_by_label("Add a note").fill("Ask how the landing went")
    page.click(hooks.ASSIGN_BUTTON)

    expect(page.locator(hooks.TOAST)).to_have_text("Outreach has the task")
    expect(page.locator(f'{hooks.TASK}[data-status="pending"]')).to_contain_text("Outreach")
    expect(form.locator("textarea")).to_have_value("")
    assert [(application.agent_id, "Ask how the landing went")] == stack.sql(
        """select agent_id::text, input_data ->> 'instructions' from agent_tasks
           where input_data ->> 'contactId' = %s""",
        contact,
    )


def test_a_link_leads_to_the_contact_and_back_leads_to_the_list(
    page: Page, stack: Stack, application: Application
) -> None:
    radia, barbara = application.contact("Radia Perlman"), application.contact("Barbara Liskov")
    open_contact(page, stack, radia, "Radia Perlman")
    page.locator(hooks.CLOSE).click()
    expect(page).to_have_url(f"{stack.url}/")

    page.locator(hooks.card(radia)).click()
    page.locator(hooks.card(barbara)).click()  # side by side on a desktop: the list stays
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Barbara Liskov")
    page.go_back()
    expect(page).to_have_url(f"{stack.url}/")
    expect(page.locator(hooks.CONTACT_NAME)).to_have_count(0)
    page.go_forward()
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Barbara Liskov")
    page.reload()
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Barbara Liskov")


def test_a_contact_of_somebody_else_is_said_not_to_be_there(
    page: Page, stack: Stack, application: Application, complaints: list[str]
) -> None:
    page.goto(f"{stack.url}/?contact={application.contact_of_somebody_else('Mata Hari')}")
    expect(page.get_by_test_id("missing")).to_have_text(
        "This contact is not there any more, or is not yours."
    )
    assert "Mata Hari" not in page.content()
    assert complaints.pop().endswith("404 (Not Found)")  # Chromium's own words


def test_a_draft_is_highlighted_for_five_minutes(page: Page, stack: Stack, application: Application) -> None:
    task = application.task(application.contact("Emmy Noether"))
    task.draft()
    task.complete()
    wait_until(application.nothing_is_due, "the draft is known")
    page.clock.install()
    page.goto(stack.url)
    expect(page.locator(hooks.updates("live"))).to_be_visible()
    badge = page.locator(hooks.badge(task.contact_id, "draft_ready"))
    expect(badge).to_have_attribute("data-fresh", "true")
    expect(badge).to_contain_text("Draft ready")

    page.clock.fast_forward(FRESH_MS - 60_000)
    expect(badge).to_have_attribute("data-fresh", "true")
    page.clock.fast_forward(90_000)
    expect(badge).to_have_attribute("data-fresh", "false")
    expect(badge).to_contain_text("Unseen draft")


def test_everything_is_done_by_keyboard(page: Page, stack: Stack, application: Application) -> None:
    task = application.task(application.contact("Aaliyah Keyboard"))
    task.draft()
    task.complete()
    page.goto(stack.url)
    expect(page.locator(hooks.badge(task.contact_id, "draft_ready"))).to_be_visible()

    def tab_to(css: str) -> None:
        for _ in range(1000):  # the contacts of other stories lie on the way
            page.keyboard.press("Tab")
            if page.evaluate("css => document.activeElement.matches(css)", css):
                return
        pytest.fail(f"{css} is not reached with the tabulator key")

    tab_to(f"{hooks.card(task.contact_id)} a")
    page.keyboard.press("Enter")
    expect(page.locator(hooks.CONTACT_NAME)).to_be_focused()
    tab_to(hooks.action("approve"))
    page.keyboard.press("Enter")
    expect(page.locator(f'{hooks.DRAFT}[data-status="approved"]')).to_be_visible()
    assert "approved" == task.draft_status()

    tab_to(f"{hooks.ASSIGN_FORM} textarea")
    page.keyboard.type("Once more")
    tab_to(hooks.ASSIGN_BUTTON)
    page.keyboard.press("Space")
    expect(page.locator(f'{hooks.TASK}[data-status="pending"]')).to_be_visible()

    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{stack.url}/")
    expect(page.locator(f"{hooks.card(task.contact_id)} a")).to_be_focused()
    tab_to('[data-testid="settings"]')
    page.keyboard.press("Enter")
    tab_to(hooks.preference("kind:completed"))
    page.keyboard.press("Space")
    expect(page.locator(hooks.SAVED)).to_have_text("Saved")
    page.keyboard.press("Space")
    wait_until(application.hears_of_everything, "the switch is back on")
