"""Signing in, a session that ends while the page is used, and signing out."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.signed_in import LIFE_SECONDS, SignIn
from tests.browser.stack import Stack

pytestmark = pytest.mark.usefixtures("needs_chromium")


@pytest.fixture
def sign_in(page: Page, stack: Stack) -> Iterator[SignIn]:
    yield SignIn(page, stack)
    page.evaluate("memory.clear()")
    page.unroute_all(behavior="ignoreErrors")


@pytest.fixture
def complaints() -> list[str]:
    """Forgive the browser that it mentions what is refused, and that there is no Realtime client."""

    class ButRefused(list[str]):
        def append(self, text: str) -> None:
            if "status of 40" not in text:
                super().append(text)

    return ButRefused()


def enter(page: Page, password: str) -> None:
    page.get_by_label("Email").fill("ada@example.org")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_a_session_that_ends_in_mid_use_is_told_and_signing_in_leads_back_to_where_one_was(
    page: Page, stack: Stack, application: Application, sign_in: SignIn
) -> None:
    ada = application.contact("Ada Lovelace")
    page.clock.install()
    page.goto(f"{stack.url}/?contact={ada}")
    expect(page.get_by_text("Taskbell rings when your agents are done.")).to_be_visible()
    enter(page, "wrong")
    expect(page.get_by_text("Email or password is wrong.")).to_be_visible()
    enter(page, "right")
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Ada Lovelace")
    expect(page.locator(hooks.updates("live"))).to_be_visible()

    page.clock.fast_forward(LIFE_SECONDS * 1000)  # it runs out, and is renewed unnoticed
    application.task(ada)
    expect(page.locator(hooks.badge(ada, "in_progress"))).to_be_visible()
    assert "refresh_token" in sign_in.asked

    sign_in.renews = False
    page.clock.fast_forward(LIFE_SECONDS * 1000)
    application.task(application.contact("Grace Hopper"))
    expect(page.get_by_text("Your session has ended. Please sign in again.")).to_be_visible()
    expect(page.locator("contact-view")).to_have_count(0)
    enter(page, "right")
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Ada Lovelace")


def test_who_signs_out_leaves_nothing_behind(page: Page, stack: Stack, sign_in: SignIn) -> None:
    page.goto(stack.url)
    enter(page, "right")
    expect(page.locator(hooks.READY)).to_be_attached()
    page.goto(f"{stack.url}/?settings")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert "logout" == sign_in.asked[-1]
    kept = "Promise.all(['session', 'inbox', 'directory', 'opened'].map((key) => memory.get(key)))"
    assert [None] * 4 == page.evaluate(kept)
