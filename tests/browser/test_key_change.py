"""The server's VAPID key was exchanged: a browser that comes back moves to the new one, without a click."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.screen import Screen
from tests.browser.stack import Stack
from tests.stand_ins.gcm import Gcm
from tests.stand_ins.push_messages import new_vapid

pytestmark = pytest.mark.usefixtures("needs_chromium")

SUBSCRIBE = """async (applicationServerKey) => {
  const registration = await navigator.serviceWorker.ready;
  await (await registration.pushManager.getSubscription()).unsubscribe();
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  return made.endpoint;
}"""
SUBSCRIBED_WITH = """async () => {
  const registration = await navigator.serviceWorker.ready;
  const { applicationServerKey } = (await registration.pushManager.getSubscription()).options;
  const text = btoa(String.fromCharCode(...new Uint8Array(applicationServerKey)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}"""


def test_a_browser_that_subscribed_with_another_key_is_moved_when_the_page_opens(
    page: Page, stack: Stack, gcm: Gcm, application: Application, shown: Screen
) -> None:
    page.goto(stack.url)
    page.click(hooks.NOTIFY_BUTTON)
    expect(page.locator(hooks.push("on"))).to_be_visible()
    ours = page.evaluate(SUBSCRIBED_WITH)
    other = new_vapid().public_key
    page.evaluate(SUBSCRIBE, other)
    assert page.evaluate(SUBSCRIBED_WITH) == other

    page.reload()
    expect(page.locator(hooks.push("on"))).to_be_visible()
    assert page.evaluate(SUBSCRIBED_WITH) == ours
    page.goto("about:blank")
    application.task(application.contact("Hedy Lamarr")).complete()
    shown.wait_for("Outreach finished for Hedy Lamarr")
    live = "select count(distinct vapid_public_key) from taskbell.subscriptions where origin = %s"
    assert stack.sql(live, gcm.origin) == [(1,)]
