"""Changes of the settings, however fast they follow each other and wherever they are made: none is lost."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.complaints import ComplaintsBut
from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium", "as_before")

FIELDS = ("kinds", "agents", "muted_contacts", "quiet_hours", "time_zone", "language")


@pytest.fixture
def as_before(application: Application) -> Iterator[None]:
    """Leave everything at its default but digests, which stories do without."""
    yield
    application.prefer(**dict.fromkeys(FIELDS), digest=False)


@pytest.fixture
def complaints() -> list[str]:
    """Forgive the browser that it mentions each failed request in its console."""
    return ComplaintsBut("Failed to load resource")


# The server has each change, and its answer never comes.
UNHEARD = """() => {
  const { fetch } = self;
  self.fetch = async (address, options) => {
    const answer = await fetch(address, options);
    return options?.method === "PATCH" ? new Promise(() => {}) : answer;
  };
}"""


class Held:
    """The page's changes on their way: the server has each, its answer waits until it is let go."""

    def __init__(self, page: Page) -> None:
        self.sent: list[object] = []
        self._waiting: list[Route] = []
        self._page = page
        page.route("**/v1/preferences", self._hold)

    def _hold(self, route: Route) -> None:
        if route.request.method == "PATCH":
            self.sent.append(route.request.post_data_json)
            self._waiting.append(route)
        else:
            route.continue_()

    def wait_for(self, count: int) -> None:
        """Wait until so many changes have been sent."""
        # Each call of the page lets what it sent come in.
        wait_until(lambda: self._page.evaluate("true") and len(self.sent) >= count, f"{count} are sent")

    def answer(self) -> None:
        """Let the server's answer to the oldest one through."""
        route = self._waiting.pop(0)
        route.fulfill(response=route.fetch())

    def refuse(self) -> None:
        """Let the oldest one fail."""
        self._waiting.pop(0).fulfill(status=500, json={"error": {"reason": "broken", "message": "Broken."}})


@pytest.fixture
def settings(page: Page, browser: BrowserContext, stack: Stack) -> Iterator[Page]:
    devtools = browser.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.setBypassServiceWorker", {"bypass": True})
    page.goto(f"{stack.url}/?settings")
    expect(page.locator(hooks.preference("digest"))).to_be_visible()
    yield page
    page.unroute_all(behavior="ignoreErrors")


def test_changes_travel_one_at_a_time_and_an_answer_does_not_undo_a_later_one(
    settings: Page, application: Application
) -> None:
    held = Held(settings)
    failed, completed, quiet, until = (
        settings.locator(hooks.preference(name))
        for name in ("kind:failed", "kind:completed", "quiet", "until")
    )
    failed.click()
    held.wait_for(1)
    completed.click()
    quiet.click()
    until.fill("06:30")
    expect(failed).not_to_be_checked()
    expect(completed).not_to_be_checked()

    assert [{"kinds": {"failed": False}}] == held.sent
    held.answer()
    held.wait_for(2)
    expect(completed).not_to_be_checked()
    expect(until).to_have_value("06:30")
    held.answer()
    expect(settings.locator(hooks.SAVED)).to_have_text("Saved")

    stored = application.preferences()
    assert (False, False) == (stored["kinds"]["failed"], stored["kinds"]["completed"])
    assert {"from": "22:00", "until": "06:30"} == stored["quiet_hours"]
    assert 2 == len(held.sent)


def test_a_change_that_fails_goes_back_alone(settings: Page, application: Application) -> None:
    held = Held(settings)
    failed, completed = (
        settings.locator(hooks.preference(f"kind:{kind}")) for kind in ("failed", "completed")
    )
    failed.click()
    held.wait_for(1)
    completed.click()
    held.refuse()
    expect(settings.locator(hooks.TOAST)).to_have_text("That did not work. Please try again.")
    expect(failed).to_be_checked()
    expect(completed).not_to_be_checked()
    expect(completed).to_be_focused()
    held.wait_for(2)
    held.answer()
    expect(settings.locator(hooks.SAVED)).to_have_text("Saved")
    assert {"kinds": {"completed": False}} == held.sent[-1]
    assert application.preferences()["kinds"] == {
        "draft_ready": True,
        "completed": False,
        "failed": True,
        "followup_due": True,
    }


def test_a_page_that_has_been_open_long_leaves_what_was_changed_elsewhere(
    settings: Page, application: Application
) -> None:
    ada, grace, emmy = (
        application.contact(name) for name in ("Ada Lovelace", "Grace Hopper", "Emmy Noether")
    )
    settings.reload()
    expect(settings.locator(hooks.preference("digest"))).to_be_visible()
    application.prefer(kinds={"failed": False}, time_zone="Asia/Tokyo", muted_contacts=[ada])
    settings.locator(hooks.preference("kind:completed")).click()
    wait_until(lambda: not application.preferences()["kinds"]["completed"], "it is kept")
    expect(settings.locator(hooks.preference("kind:failed"))).not_to_be_checked()

    application.prefer(muted_contacts=[ada, emmy])
    settings.locator(hooks.card(grace)).click()
    settings.click(hooks.action("mute"))
    wait_until(lambda: grace in application.preferences()["muted_contacts"], "she is muted")
    stored = application.preferences()
    assert [ada, emmy, grace] == stored["muted_contacts"]
    assert ("Asia/Tokyo", False) == (stored["time_zone"], stored["kinds"]["failed"])


def test_a_change_that_waits_for_its_turn_when_the_page_is_left_is_kept(
    settings: Page, application: Application
) -> None:
    def kept(kind: str) -> bool:
        return not application.preferences()["kinds"][kind]

    settings.evaluate(UNHEARD)
    settings.locator(hooks.preference("kind:failed")).click()
    wait_until(lambda: kept("failed"), "the first change is kept")
    settings.locator(hooks.preference("kind:completed")).click()
    expect(settings.locator(hooks.preference("kind:completed"))).not_to_be_checked()
    assert not kept("completed")
    settings.goto("about:blank")
    wait_until(lambda: kept("completed"), "so is the second")
