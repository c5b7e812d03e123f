"""The harness alone: stock browsers, our push services and our desktop work without Taskbell.

If these fail, no story about Taskbell means anything.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from playwright.sync_api import sync_playwright

from tests.browser.reference_sender import ReferenceSender
from tests.stand_ins.autopush import Autopush
from tests.stand_ins.background import Background
from tests.stand_ins.chromium import chromium
from tests.stand_ins.firefox import STARTS, Firefox
from tests.stand_ins.gcm import Gcm
from tests.stand_ins.notification_daemon import NotificationDaemon
from tests.stand_ins.record import wait_until

PAGE = Path(__file__).parent / "harness_page"


@pytest.fixture(scope="module")
def site(background: Background) -> Iterator[str]:
    """Serve a page that subscribes at a click."""

    async def start() -> web.AppRunner:
        async def index(_: web.Request) -> web.FileResponse:
            return web.FileResponse(PAGE / "index.html")

        app = web.Application()
        app.add_routes([web.get("/", index), web.static("/", PAGE)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = background.run(start())
    yield f"http://localhost:{runner.addresses[0][1]}"
    background.run(runner.cleanup())


@pytest.fixture
def sender() -> ReferenceSender:
    return ReferenceSender()


def message(title: str) -> str:
    """Return what the harness page's worker shows under one tag, and opens when it is clicked."""
    return json.dumps({"title": title, "tag": "one", "path": "/?clicked"})


@pytest.mark.usefixtures("needs_firefox")
def test_firefox_shows_a_push_opens_what_is_clicked_and_receives_what_came_while_it_was_closed(
    tmp_path: Path, site: str, sender: ReferenceSender, autopush: Autopush, desktop: NotificationDaemon
) -> None:
    mark = desktop.shown.mark()
    with Firefox(tmp_path, push_url=autopush.websocket_url, dbus_address=desktop.address) as firefox:
        firefox.open(f"{site}/?key={sender.public_key}")
        firefox.click("#subscribe")
        wait_until(lambda: bool(firefox.text("#subscription")), "the page has an answer")
        subscription = json.loads(firefox.text("#subscription") or "")
        firefox.close_all_tabs()
        assert ["about:blank"] == firefox.tabs()

        assert 201 == sender.send(subscription, message("No page is open"))
        shown = desktop.shown.wait_for(lambda shown: shown.title == "No page is open", after=mark)
        desktop.click(shown)
        firefox.switch_to("/?clicked")

        firefox.quit()
        assert 201 == sender.send(subscription, message("Firefox was closed"))
        firefox.start()
        desktop.shown.wait_for(lambda shown: shown.title == "Firefox was closed", after=mark)


def test_a_firefox_that_ends_at_its_start_is_started_again_and_each_time_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impostor = tmp_path / "firefox-esr"
    impostor.write_text("#!/bin/sh\necho no display\nexit 11\n")
    impostor.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with (
        pytest.warns(UserWarning, match=r"^Firefox ended at its start, with 11$") as said,
        pytest.raises(RuntimeError, match=r"ended at each of 3 starts: (no display\n){3}"),
    ):
        Firefox(tmp_path / "profile", push_url="ws://127.0.0.1:9", dbus_address="unix:path=/nowhere")
    assert STARTS == len(said)


@pytest.mark.usefixtures("needs_chromium")
def test_chromium_shows_a_push_and_opens_what_is_clicked(
    tmp_path: Path, site: str, sender: ReferenceSender, gcm: Gcm, desktop: NotificationDaemon
) -> None:
    mark = desktop.shown.mark()
    with (
        sync_playwright() as playwright,
        chromium(playwright, tmp_path, push_service=gcm, dbus_address=desktop.address) as browser,
    ):
        page = browser.pages[0]
        page.goto(f"{site}/?key={sender.public_key}")
        page.click("#subscribe")
        page.wait_for_function("document.querySelector('#subscription').textContent != ''")
        subscription = json.loads(page.inner_text("#subscription"))
        page.goto("about:blank")

        assert 201 == sender.send(subscription, message("No page is open"))
        shown = desktop.shown.wait_for(lambda shown: shown.title == "No page is open", after=mark)
        with browser.expect_page() as opened:
            desktop.click(shown)
        assert opened.value.url.endswith("/?clicked")
