"""The page in Chromium, without a push service: it installs, shows what the worker is pushed, and polls."""

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.screen import Screen
from tests.browser.stack import Stack

pytestmark = pytest.mark.usefixtures("needs_chromium")


def test_the_page_can_be_installed(page: Page, stack: Stack, browser: BrowserContext) -> None:
    page.goto(stack.url)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    devtools = browser.new_cdp_session(page)
    assert [] == devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]


def test_the_worker_shows_what_it_is_pushed(
    page: Page, stack: Stack, browser: BrowserContext, shown: Screen
) -> None:
    page.goto(stack.url)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    devtools = browser.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(event["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    while not registrations:  # bounded by the time-out of the page's own calls
        page.evaluate("navigator.serviceWorker.getRegistrations().then(() => 0)")
    notification = {
        "title": "Draft ready for Ada Lovelace",
        "body": "Outreach",
        "navigate": f"{stack.url}/?contact=ada",
        "tag": "a" * 32,
        "app_badge": 2,
        "data": {"event_id": 1, "kind": "draft_ready", "contact_id": "ada"},
    }
    devtools.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": stack.url,
            "registrationId": registrations[-1]["registrationId"],
            "data": json.dumps({"web_push": 8030, "notification": notification}),
        },
    )
    assert "Outreach" in shown.wait_for("Draft ready for Ada Lovelace").body
    titles = (
        "navigator.serviceWorker.ready.then(async (r) => (await r.getNotifications()).map((n) => n.title))"
    )
    assert ["Draft ready for Ada Lovelace"] == page.evaluate(titles)


def test_without_a_server_that_holds_requests_the_page_polls_and_says_so(
    page: Page, stack: Stack, application: Application
) -> None:
    def cannot_hold(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"can_hold": False})

    page.route("**/v1/config", cannot_hold)
    page.goto(stack.url)
    expect(page.locator(hooks.updates("polling"))).to_contain_text("checking every 5 s")

    ada = application.contact("Ada Lovelace")
    task = application.task(ada)
    expect(page.locator(hooks.badge(ada, "in_progress"))).to_be_visible(timeout=6_000)
    task.fail("No address to write to")
    expect(page.locator(hooks.badge(ada, "failed"))).to_be_visible(timeout=6_000)
