"""Everybody can use the page: axe finds nothing on any view, nothing is lost where there is little room."""

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.complaints import ComplaintsBut
from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")

Light = Literal["light", "dark"]
LIGHTS: tuple[Light, ...] = ("light", "dark")
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
PHONE: ViewportSize = {"width": 390, "height": 844}
# Width, height, and how much larger than usual a person wants the text.
NARROW = {"small phone": (360, 640, 1), "zoom 200 %": (640, 400, 1), "text 200 %": (640, 800, 2)}
DENIED = "Object.defineProperty(Notification, 'permission', { get: () => 'denied' });"
IPHONE = """delete self.PushManager;
Object.defineProperty(navigator, 'userAgent', { get: () => 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0)' });"""
# What sticks out of the window, or is cut off inside of its box though nobody said that it may be.
LOST = """() => [...document.querySelectorAll("body *")].filter((element) => {
  if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
  const box = element.getBoundingClientRect();
  if (box.width < 2 || element.closest(".unseen-text, .skip, svg")) return false;
  const style = getComputedStyle(element);
  const cut = style.overflowX === "hidden" && element.scrollWidth > element.clientWidth + 1;
  return box.left < -1 || box.right > innerWidth + 1 || cut;
}).map((element) => element.outerHTML.slice(0, 120))"""


@pytest.fixture
def complaints() -> list[str]:
    """Forgive axe that it tries a style of its own, which the page's security policy forbids."""
    return ComplaintsBut("Applying inline style")


@pytest.fixture(scope="module")
def contact(application: Application) -> str:
    """Add a contact with everything that a view can show, and others in every other state."""
    ada = application.contact("Ada Lovelace, Countess of Lovelace and Enchantress of Numbers")
    first = application.task(ada)
    first.draft()
    first.complete()
    second = application.task(ada)
    second.draft("Wirtschaftsförderungsgesellschaftsmitarbeiterin")
    second.fail("No address to write to: Donaudampfschifffahrtsgesellschaftskapitän@example.org")
    application.plan(ada, "Ask how the landing went")
    application.log(ada, "draft_created")
    application.task(application.contact("Grace Hopper"))
    application.task(application.contact("Hedy Lamarr")).complete()
    application.contact("")
    wait_until(application.nothing_is_due, "all of it is known")
    return ada


GERMAN = "try { localStorage.setItem('taskbell-language', 'de') } catch {}"
ADDRESSES = {"list": "/", "contact": "/?contact={contact}", "settings": "/?settings"}
SHOWS = {"list": "{card}", "contact": hooks.DRAFT, "settings": hooks.preference("digest")}


def find_nothing(page: Page, view: str) -> None:
    """Let axe look at the page as it stands."""
    found = Axe().run(page).response["violations"]
    told = [f"{view}: {rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]
    assert [] == told


@pytest.mark.parametrize("view", hooks.VIEWS)
def test_axe_finds_nothing_on_any_view_in_any_size_and_light(
    page: Page, stack: Stack, contact: str, tmp_path: Path, view: str
) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(stack.url + ADDRESSES[view].format(contact=contact))
    expect(page.locator(hooks.VIEWS[view])).to_be_visible()
    expect(page.locator(SHOWS[view].format(card=hooks.card(contact))).first).to_be_visible()
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for light in LIGHTS:
            page.emulate_media(color_scheme=light)
            page.screenshot(path=tmp_path / f"{view}-{size}-{light}.png")
            find_nothing(page, f"{view} {size} {light}")
            assert width == page.evaluate("document.documentElement.scrollWidth"), f"{size} is too wide"


@pytest.mark.parametrize("view", hooks.VIEWS)
def test_axe_finds_nothing_in_german_and_nothing_is_lost_though_its_words_are_longer(
    page: Page, stack: Stack, contact: str, view: str
) -> None:
    page.add_init_script(GERMAN)
    page.set_viewport_size({"width": 360, "height": 640})
    page.emulate_media(reduced_motion="reduce")
    page.goto(stack.url + ADDRESSES[view].format(contact=contact))
    expect(page.locator(SHOWS[view].format(card=hooks.card(contact))).first).to_be_visible()
    find_nothing(page, f"{view} in German")
    assert "de" == page.evaluate("document.documentElement.lang")
    assert [] == page.evaluate(LOST)
    page.evaluate("localStorage.clear()")


def find_nothing_in_any_light(page: Page, view: str) -> None:
    """Let axe look at the page as it stands on a phone, and see that nothing sticks out."""
    for light in LIGHTS:
        page.emulate_media(color_scheme=light, reduced_motion="reduce")
        find_nothing(page, f"{view} {light}")
    assert [] == page.evaluate(LOST), view


def test_axe_finds_nothing_where_something_is_wrong(
    page: Page, stack: Stack, contact: str, complaints: list[str]
) -> None:
    page.set_viewport_size(PHONE)
    page.goto(stack.url)
    expect(page.locator(hooks.updates("live"))).to_be_visible()
    page.route("**/v1/**", lambda route: route.abort())
    page.reload()
    expect(page.locator(hooks.trouble("server"))).to_be_visible()
    page.evaluate("memory.trouble = 'full'; self.dispatchEvent(new Event('taskbell-memory'))")
    expect(page.locator(hooks.trouble("storage"))).to_be_visible()
    page.evaluate("id => document.querySelector(`contact-card[contact-id='${id}'] a`).click()", contact)
    expect(page.locator(hooks.CONTACT_NAME)).to_be_visible()
    find_nothing_in_any_light(page, "trouble")
    page.unroute_all(behavior="ignoreErrors")
    complaints[:] = [text for text in complaints if not text.startswith("Failed to load resource")]


def test_axe_finds_nothing_where_push_needs_a_word_of_help(page: Page, stack: Stack) -> None:
    page.set_viewport_size(PHONE)
    for state, script in {"denied": DENIED, "install": IPHONE}.items():
        page.add_init_script(script)
        page.goto(stack.url)
        expect(page.locator(hooks.push(state))).to_be_visible()
        page.click(hooks.action("help"))
        expect(page.locator(hooks.PUSH_HELP)).to_be_visible()
        find_nothing_in_any_light(page, state)


def test_axe_finds_nothing_on_the_sign_in(page: Page, stack: Stack) -> None:
    def without_demo(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"demo_token": None, "supabase_url": stack.url})

    page.set_viewport_size(PHONE)
    page.route("**/v1/config", without_demo)
    page.goto(stack.url)
    expect(page.get_by_label("Password")).to_be_visible()
    find_nothing_in_any_light(page, "sign-in")
    page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize("room", NARROW)
def test_nothing_is_lost_where_there_is_little_room(
    page: Page, stack: Stack, contact: str, room: str
) -> None:
    width, height, text = NARROW[room]
    page.set_viewport_size({"width": width, "height": height})
    for address in ("/", f"/?contact={contact}", "/?settings"):
        page.goto(stack.url + address)
        expect(page.locator(hooks.READY)).to_be_attached()
        page.evaluate("size => { document.documentElement.style.fontSize = size }", f"{100 * text}%")
        if "contact" in address:
            expect(page.locator(hooks.DRAFT).first).to_be_visible()
        if "settings" in address:
            expect(page.locator(hooks.preference("digest"))).to_be_visible()
        assert [] == page.evaluate(LOST), address
        assert width == page.evaluate("document.documentElement.scrollWidth"), address
