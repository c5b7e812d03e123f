"""The list keeps itself in order, and never moves a card away from a hand that is about to press it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack

pytestmark = pytest.mark.usefixtures("needs_chromium")

# A press, or Enter on a link, in the very moment in which a card has come to its new place.
AT_ONCE = """([css, detail]) => new Promise((done) => new MutationObserver((_, observer) => {
  const link = document.querySelector(css);
  if (!link) return;
  observer.disconnect();
  done(link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, detail })));
}).observe(document.querySelector("#list"), { childList: true, subtree: true }))"""


def in_attention(contact_id: str) -> str:
    """Return the selector of a card among those that have news."""
    return f"{hooks.group('attention')} {hooks.card(contact_id)}"


def top(page: Page, contact_id: str) -> float:
    box = page.locator(hooks.card(contact_id)).bounding_box()
    assert box
    return box["y"]


@pytest.fixture
def contacts(page: Page, stack: Stack, application: Application) -> tuple[str, str]:
    """Open the page, in which nobody has news, with two contacts at work."""
    ada, zelda = application.contact("Ada Lovelace"), application.contact("Zelda Fitzgerald")
    tasks = [application.task(contact) for contact in (ada, zelda)]
    application.everything_is_seen()
    page.goto(stack.url)
    for task in tasks:
        expect(page.locator(hooks.badge(task.contact_id, "in_progress"))).to_be_visible()
    return ada, zelda


def test_while_a_card_is_pressed_news_show_on_the_others_where_they_are(
    page: Page, contacts: tuple[str, str], application: Application
) -> None:
    ada, zelda = contacts
    page.locator(hooks.card(ada)).hover()
    page.mouse.down()
    stood = top(page, ada)
    application.task(zelda, application.another_agent("Follow-up")).fail("No address to write to")
    expect(page.locator(hooks.badge(zelda, "failed"))).to_be_visible()
    assert stood == top(page, ada)
    assert 0 == page.locator(in_attention(zelda)).count()

    page.mouse.up()
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Ada Lovelace")
    expect(page.locator(in_attention(zelda))).to_be_visible()
    assert stood < top(page, ada)


@pytest.mark.parametrize(("detail", "opens"), [(1, False), (0, True)], ids=["a click", "a key"])
def test_a_press_of_a_card_that_has_just_come_along_is_not_meant_for_it(
    page: Page, stack: Stack, contacts: tuple[str, str], application: Application, detail: int, opens: bool
) -> None:
    _, zelda = contacts
    page.evaluate(f"(args) => {{ self.pressed = ({AT_ONCE})(args) }}", [f"{in_attention(zelda)} a", detail])
    application.task(zelda, application.another_agent("Follow-up")).fail("No address to write to")
    expect(page.locator(in_attention(zelda))).to_be_visible()
    page.evaluate("self.pressed")
    expect(page).to_have_url(f"{stack.url}/?contact={zelda}" if opens else f"{stack.url}/")


def test_the_keyboards_place_stays_on_a_card_that_moves(
    page: Page, contacts: tuple[str, str], application: Application
) -> None:
    ada, zelda = contacts
    page.locator(f"{hooks.card(zelda)} a").focus()
    another = application.another_agent("Follow-up")
    for contact in (ada, zelda):
        application.task(contact, another).fail("No address to write to")
        expect(page.locator(in_attention(contact))).to_be_visible()
        expect(page.locator(f"{hooks.card(zelda)} a")).to_be_focused()
