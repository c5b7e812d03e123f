"""The page as a web host serves it: built, kept for ever by caches, and replaced by a newer one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from taskbell_local import places
from taskbell_local.page_build import Built, build
from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.screen import Screen
from tests.browser.stack import Stack
from tests.stand_ins.gcm import Gcm
from tests.stand_ins.notification_daemon import NotificationDaemon
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")

FIRST_LOAD_BYTES = 30_000
KEPT = "caches.open('shell').then(async (c) => (await c.keys()).map((r) => new URL(r.url).pathname))"
CONTROLLED = """navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller ?? new Promise(
  (resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true })
)).then(() => true)"""
INDEX = "caches.open('shell').then(async (c) => await (await c.match('/'))?.text())"
WORKER = """navigator.serviceWorker.ready.then(({ installing, waiting, active }) =>
  [installing, waiting, active].map((worker) => worker?.state ?? ""))"""
UPDATE = "navigator.serviceWorker.ready.then((registration) => registration.update())"


class Host:
    """A web host with a folder; `publish` builds the page into it."""

    def __init__(self, folder: Path) -> None:
        self.sources = Path(shutil.copytree(places.WEB, folder / "web"))
        self.folder = folder / "page"
        self.built = self.publish()

    def publish(self) -> Built:
        self.built = build(self.sources, self.folder)
        return self.built

    def publish_another(self) -> Built:
        """Change something, and publish that."""
        style = self.sources / "app.css"
        style.write_text(f"{style.read_text()}\n.after-{self.built.version} {{ order: 1; }}\n")
        return self.publish()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return Host(tmp_path_factory.mktemp("host"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, gcm: Gcm, host: Host) -> Iterator[Stack]:
    """Run the product with the built page in place of the sources."""
    origins = {"EXTRA_PUSH_ORIGINS": gcm.origin}
    with Stack(tmp_path_factory.mktemp("built"), origins, page=host.folder) as stack:
        yield stack


@pytest.fixture(scope="module")
def application(stack: Stack) -> Application:
    application = Application(stack)
    application.wants_every_notification()
    return application


def wait_for_version(page: Page, host: Host) -> None:
    """Wait until the newest version is kept, none before the last is, and its worker has taken over."""

    def is_kept() -> bool:
        kept = {path.split("/")[1] for path in page.evaluate(KEPT) if path.startswith("/v-")}
        return host.built.version in kept and len(kept) <= 2 and host.built.version in page.evaluate(INDEX)

    wait_until(is_kept, f"{host.built.version} is kept")
    wait_until(lambda: ["", "", "activated"] == page.evaluate(WORKER), "its worker has taken over")


def is_file(request: Request) -> bool:
    return "/v1/" not in request.url


def test_the_first_load_is_small_and_all_but_the_root_is_kept_for_ever(
    page: Page, browser: BrowserContext, stack: Stack
) -> None:
    loaded: list[Request] = []
    devtools = browser.new_cdp_session(page)
    devtools.send("Network.clearBrowserCache")
    devtools.send("Network.setBypassServiceWorker", {"bypass": True})
    page.on("requestfinished", lambda request: loaded.append(request) if is_file(request) else None)
    page.goto(stack.url)
    expect(page.locator(hooks.updates("live"))).to_be_visible()
    size = sum(request.sizes()["responseBodySize"] for request in loaded)
    print(f"first load of the built page: {size} bytes in {len(loaded)} files")
    assert size < FIRST_LOAD_BYTES, sorted((r.sizes()["responseBodySize"], r.url) for r in loaded)
    said = {
        request.url.removeprefix(stack.url): (answer.headers["cache-control"] if answer else "")
        for request in loaded
        for answer in [request.response()]
    }
    again = {path for path, told in said.items() if told == "no-cache"}
    assert again <= {"/", "/sw.js", "/manifest.webmanifest"}
    assert {"public, max-age=31536000, immutable"} == {said[path] for path in said.keys() - again}


def test_it_subscribes_shows_a_badge_rings_and_a_click_opens_the_contact(
    page: Page,
    browser: BrowserContext,
    stack: Stack,
    application: Application,
    desktop: NotificationDaemon,
    shown: Screen,
) -> None:
    ada = application.contact("Ada Lovelace")
    page.goto(stack.url)
    page.click(hooks.NOTIFY_BUTTON)
    expect(page.locator(hooks.push("on"))).to_be_visible()
    task = application.task(ada)
    expect(page.locator(hooks.badge(ada, "in_progress"))).to_be_visible()
    page.close()

    task.draft()
    task.complete()
    notification = shown.wait_for("Draft ready for Ada Lovelace")
    with browser.expect_page() as opened:
        desktop.click(notification)
    expect(opened.value.locator(hooks.CONTACT_NAME)).to_have_text("Ada Lovelace")
    wait_until(lambda: not application.unseen(ada), "the contact is seen")


def test_what_a_visit_loads_is_kept_and_read_again_offline(
    page: Page,
    browser: BrowserContext,
    stack: Stack,
    host: Host,
    application: Application,
    complaints: list[str],
) -> None:
    asked: list[Request] = []

    def ask(request: Request) -> None:
        asked.append(request)

    page.on("request", ask)
    task = application.task(application.contact("Grace Hopper"))
    task.draft("Your compiler")
    page.goto(f"{stack.url}/?settings")
    expect(page.locator(hooks.VIEWS["settings"])).to_be_visible()
    page.goto(f"{stack.url}/?contact={task.contact_id}")
    expect(page.locator(hooks.DRAFT)).to_contain_text("Your compiler")
    page.evaluate(CONTROLLED)
    page.wait_for_function(hooks.REMEMBERED, arg=["opened", task.contact_id])
    kept = page.evaluate(KEPT)
    paths = {request.url.removeprefix(stack.url).split("?")[0] for request in asked if is_file(request)}
    assert {path for path in paths if path not in kept} - {"/sw.js"} == set()
    missing = {path for path in kept if path != "/" and not (host.folder / path[1:]).is_file()}
    assert missing == set()

    browser.set_offline(True)
    page.reload(wait_until="commit")
    expect(page.locator(hooks.DRAFT)).to_contain_text("Your compiler")
    browser.set_offline(False)
    complaints[:] = [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def test_an_open_page_goes_on_with_its_own_version_until_it_is_loaded_again(
    page: Page,
    browser: BrowserContext,
    stack: Stack,
    host: Host,
    application: Application,
    complaints: list[str],
) -> None:
    contact = application.contact("Mary Jackson")
    page.goto(stack.url)
    page.evaluate(CONTROLLED)
    first = host.built
    wait_for_version(page, host)

    language = host.sources / "js" / "texts.js"
    language.write_text(language.read_text().replace("Notify this browser", "Ring this browser"))
    second = host.publish()
    shutil.rmtree(host.folder / first.version)  # a host that keeps nothing of a former version
    page.evaluate(UPDATE)
    wait_for_version(page, host)

    # What it had not needed so far is still there, in the version that it is of.
    page.locator(hooks.card(contact)).click()
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Mary Jackson")
    expect(page.locator(hooks.ASSIGN_FORM)).to_be_visible()
    loaded = page.evaluate(
        "performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname)"
    )
    assert f"/{first.version}/js/contact-view.js" in loaded
    assert [path for path in loaded if path.startswith(f"/{second.version}/")] == []

    page.reload(wait_until="commit")
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Mary Jackson")
    names = page.evaluate("[...document.scripts].map((script) => new URL(script.src).pathname)")
    assert names == [f"/{second.version}/js/app.js"]
    browser.set_offline(True)
    page.reload(wait_until="commit")
    expect(page.locator(hooks.CONTACT_NAME)).to_have_text("Mary Jackson")
    browser.set_offline(False)
    complaints[:] = [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def test_versions_before_the_last_are_forgotten(page: Page, stack: Stack, host: Host) -> None:
    page.goto(stack.url)
    page.evaluate(CONTROLLED)
    for _ in range(2):
        before = host.built.version
        host.publish_another()
        page.evaluate(UPDATE)
        wait_for_version(page, host)
    kept = {path.split("/")[1] for path in page.evaluate(KEPT) if path.startswith("/v-")}
    assert kept == {before, host.built.version}
