"""Where push cannot be turned on, the page says what to do in this very browser; Chromium plays them all."""

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Page, expect

from tests.browser import hooks
from tests.browser.stack import Stack

pytestmark = pytest.mark.usefixtures("needs_chromium")

DENIED = "Object.defineProperty(Notification, 'permission', { get: () => 'denied' });"
NOT_INSTALLED = "delete self.PushManager;"  # as Safari has it before the page is on the home screen
DRAWN = "element => [...element.querySelectorAll('use')].filter((use) => use.getBBox().width > 5).length"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) {SAFARI}"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI}"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
UNDO = {
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36": "Site settings",
    f"Mozilla/5.0 (Linux; Android 15; K) {CHROME} Mobile Safari/537.36": "Settings → Apps → your browser",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Send notifications: Blocked",
    MAC: "In Safari choose Settings → Websites → Notifications",
    IPHONE: "Settings → Notifications → Taskbell",
    "Something/1.0": "Open your browser's settings for this page",
}


@pytest.fixture
def devtools(page: Page, browser: BrowserContext) -> CDPSession:
    return browser.new_cdp_session(page)


def test_blocked_notifications_are_undone_another_way_in_each_browser(
    page: Page, stack: Stack, devtools: CDPSession
) -> None:
    page.add_init_script(DENIED)
    for user_agent, way in UNDO.items():
        devtools.send("Emulation.setUserAgentOverride", {"userAgent": user_agent})
        page.goto(stack.url)
        page.locator(hooks.push("denied")).wait_for()
        page.click(hooks.action("help"))
        expect(page.locator(hooks.PUSH_HELP)).to_contain_text(way)


@pytest.mark.parametrize(("user_agent", "fingers"), [(IPHONE, 5), (MAC, 5)], ids=["iPhone", "iPad"])
def test_on_iphone_and_ipad_the_steps_to_install_are_shown_with_pictures(
    page: Page, stack: Stack, devtools: CDPSession, user_agent: str, fingers: int
) -> None:
    devtools.send("Emulation.setUserAgentOverride", {"userAgent": user_agent})
    devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": fingers})
    page.add_init_script(NOT_INSTALLED)
    page.goto(stack.url)
    expect(page.locator(hooks.push("install"))).to_contain_text("Push after installing")
    page.get_by_role("button", name="What to do").click()
    steps = page.locator(hooks.PUSH_HELP).get_by_role("listitem")
    expect(steps).to_have_text(["Tap “Share”", "Choose “Add to Home Screen”", "Open Taskbell from there"])
    assert 3 == page.locator(hooks.PUSH_HELP).evaluate(DRAWN)
    page.get_by_role("button", name="Close").click()
    expect(page.locator(hooks.PUSH_HELP)).to_have_count(0)


def test_a_permission_that_is_taken_and_given_back_in_the_browsers_settings_is_noticed(
    page: Page, stack: Stack, devtools: CDPSession
) -> None:
    def set_to(setting: str) -> None:
        permission = {"name": "notifications"}
        devtools.send(
            "Browser.setPermission", {"permission": permission, "setting": setting, "origin": stack.url}
        )

    page.goto(stack.url)
    expect(page.locator(hooks.push("off"))).to_be_visible()
    set_to("denied")
    expect(page.locator(hooks.push("denied"))).to_contain_text("Push blocked")
    expect(page.locator(hooks.NOTIFY_BUTTON)).to_have_count(0)
    set_to("granted")
    expect(page.locator(hooks.push("off"))).to_be_visible()
    expect(page.locator(hooks.NOTIFY_BUTTON)).to_be_enabled()
