"""A browser that lets the page keep little or nothing: the page says so, and shows what can be shown."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins.chromium import chromium
from tests.stand_ins.firefox import NOWHERE_PORT, Firefox
from tests.stand_ins.gcm import Gcm
from tests.stand_ins.notification_daemon import NotificationDaemon
from tests.stand_ins.record import wait_until

BLOCK = {"profile": {"default_content_setting_values": {"cookies": 2}}}
"""Chromium's own setting, "Block all site data"."""
FULL: dict[str, str | int | bool] = {"dom.quotaManager.temporaryStorage.fixedLimit": 64}
"""What all sites together may keep in Firefox, in KB: less than one empty database takes."""
REFUSED = """async () => {
  const tried = {
    localStorage: async () => localStorage.length,
    indexedDB: () => new Promise((done, fail) => {
      const opening = indexedDB.open("probe");
      opening.onsuccess = done;
      opening.onerror = () => fail(opening.error);
    }),
    caches: () => caches.keys(),
    serviceWorker: () => navigator.serviceWorker.register("/sw.js"),
  };
  const refused = [];
  for (const [name, use] of Object.entries(tried)) await use().catch(() => refused.push(name));
  return refused;
}"""


@pytest.fixture
def strict(
    playwright: Playwright, tmp_path: Path, gcm: Gcm, desktop: NotificationDaemon
) -> Iterator[BrowserContext]:
    settings = tmp_path / "Default" / "Preferences"
    settings.parent.mkdir()
    settings.write_text(json.dumps(BLOCK))
    with chromium(playwright, tmp_path, push_service=gcm, dbus_address=desktop.address) as strict:
        yield strict


@pytest.mark.usefixtures("needs_chromium")
def test_where_nothing_may_be_kept_the_page_still_shows_every_change(
    strict: BrowserContext, stack: Stack, application: Application
) -> None:
    page = strict.pages[0]
    page.goto(stack.url)
    expect(page.locator(hooks.READY)).to_be_attached()
    assert ["localStorage", "indexedDB", "caches", "serviceWorker"] == page.evaluate(REFUSED)
    expect(page.locator(hooks.trouble("storage"))).to_contain_text("allow site data")
    expect(page.locator(hooks.push("broken"))).to_be_visible()
    page.click(hooks.action("help"))
    expect(page.locator(hooks.PUSH_HELP)).to_contain_text("allow site data for this page")

    task = application.task(application.contact("Ada Lovelace"))
    expect(page.locator(hooks.badge(task.contact_id, "in_progress"))).to_be_visible()
    task.draft()
    task.complete()
    page.locator(hooks.card(task.contact_id)).click()
    page.click(hooks.action("approve"))
    expect(page.locator(f'{hooks.DRAFT}[data-status="approved"]')).to_be_visible()


@pytest.mark.usefixtures("needs_firefox")
def test_where_storage_is_full_the_page_says_so_until_told_and_still_shows_every_change(
    tmp_path: Path, stack: Stack, application: Application, desktop: NotificationDaemon
) -> None:
    nowhere = f"ws://127.0.0.1:{NOWHERE_PORT}/"
    with Firefox(tmp_path, push_url=nowhere, dbus_address=desktop.address, preferences=FULL) as firefox:
        firefox.open(stack.url)
        firefox.wait_for(hooks.trouble("storage"))
        assert "storage is full" in (firefox.text(hooks.TROUBLE) or "")
        task = application.task(application.contact("Radia Perlman"))
        firefox.wait_for(hooks.badge(task.contact_id, "in_progress"))
        firefox.click(f"{hooks.TROUBLE} {hooks.action('dismiss')}")
        wait_until(lambda: firefox.text(hooks.TROUBLE) is None, "the box is gone")
        task.fail("No address to write to")
        firefox.wait_for(hooks.badge(task.contact_id, "failed"))
        assert firefox.text(hooks.TROUBLE) is None
