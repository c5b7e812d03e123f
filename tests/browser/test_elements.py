"""An app of somebody else that uses our two elements: one import, its own sign-in, its own looks."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from tests.browser import hooks
from tests.browser.application import Application, Task
from tests.browser.stack import Stack

pytestmark = pytest.mark.usefixtures("needs_chromium")

BARE = """<!doctype html><html lang="en"><title>Somebody else's app</title>
<style>.row { outline: 1px solid red } button { border-radius: 1px }</style>
<p id="theirs" class="row">Theirs <button>Theirs too</button></p>
<contact-card contact-id="CARD"></contact-card>
<contact-view contact-id="VIEW"></contact-view>
<script type="module">
  import { onUnseen, start } from "/js/elements.js";
  self.told = [];
  const types = "contact-open contact-close contact-seen task-assigned task-retried draft-reviewed";
  for (const type of types.split(" "))
    document.addEventListener(type, (event) => { event.preventDefault(); told.push([type, event.detail]) });
  onUnseen((unseen) => (self.unseen = unseen));
  self.started = await start({ token: async () => "TOKEN" });
</script>"""
LOOKS = """() => {
  const look = (css) => getComputedStyle(document.querySelector(css));
  return [look("#theirs").marginTop, look("#theirs").display, look("#theirs button").borderRadius];
}"""


@pytest.fixture
def drafted(application: Application) -> Task:
    task = application.task(application.contact("Grace Hopper"))
    task.draft("Your compiler")
    task.complete()
    return task


@pytest.fixture
def app(page: Page, stack: Stack, application: Application, drafted: Task) -> Iterator[Page]:
    """Open that app with a card of one contact and a view of another."""
    token = requests.get(f"{stack.url}/v1/config", timeout=10).json()["demo_token"]

    def without_demo(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"demo_token": None})

    ada = application.contact("Ada Lovelace")
    html = BARE.replace("CARD", ada).replace("VIEW", drafted.contact_id).replace("TOKEN", token)
    page.route("**/v1/config", without_demo)
    page.route("**/their-app", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{stack.url}/their-app")
    page.wait_for_function("() => self.started === true")
    yield page
    page.unroute_all(behavior="ignoreErrors")


def told(app: Page, kind: str) -> dict[str, str]:
    """Return what an event of this kind told, waiting for it if need be."""
    app.wait_for_function("kind => told.some(([type]) => type === kind)", arg=kind)
    detail: dict[str, str] = app.evaluate("kind => told.find(([type]) => type === kind)[1]", kind)
    return detail


def test_the_elements_live_in_any_app_tell_what_is_done_and_leave_the_rest_of_it_alone(
    app: Page, stack: Stack, application: Application, drafted: Task
) -> None:
    card = app.locator("contact-card").get_attribute("contact-id") or ""
    application.task(card)
    expect(app.locator(hooks.badge(card, "in_progress"))).to_contain_text("Outreach")
    app.locator("contact-card").click()
    assert {"contactId": card} == told(app, "contact-open")
    assert f"{stack.url}/their-app" == app.url

    assert {"contactId": drafted.contact_id} == told(app, "contact-seen")
    expect(app.locator(hooks.DRAFT)).to_contain_text("Your compiler")
    app.click(hooks.action("approve"))
    assert "approved" == told(app, "draft-reviewed")["status"]
    assert "approved" == drafted.draft_status()
    app.click(hooks.ASSIGN_BUTTON)
    assert drafted.contact_id == told(app, "task-assigned")["contactId"]
    app.click(hooks.CLOSE)
    assert {} == told(app, "contact-close")
    assert ["16px", "block", "1px"] == app.evaluate(LOOKS)


def test_the_elements_follow_their_attributes_and_come_and_go(app: Page, application: Application) -> None:
    hedy = application.contact("Hedy Lamarr")
    app.evaluate(
        """id => {
          document.querySelector("contact-view").setAttribute("contact-id", id);
          document.querySelector("contact-card").remove();
          document.body.insertAdjacentHTML("beforeend", `<contact-card contact-id="${id}"></contact-card>`);
        }""",
        hedy,
    )
    expect(app.locator(hooks.CONTACT_NAME)).to_have_text("Hedy Lamarr")
    application.task(hedy).fail("No address to write to")
    expect(app.locator(hooks.badge(hedy, "failed"))).to_be_visible()
    app.wait_for_function("() => self.unseen > 0")
    app.click(hooks.action("retry"))
    assert "taskId" in told(app, "task-retried")


def test_an_app_in_which_nobody_is_signed_in_is_told_so(page: Page, stack: Stack) -> None:
    html = BARE.replace('async () => "TOKEN"', "async () => undefined")
    page.route("**/their-app", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{stack.url}/their-app")
    page.wait_for_function("() => self.started === false")
