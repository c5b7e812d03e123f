"""An app of somebody else that uses our two elements, in Firefox: a page of its own beside our files."""

from collections.abc import Iterator

import pytest
import requests
from aiohttp import web

from tests.browser import hooks
from tests.browser.application import Application, Task
from tests.browser.stack import Stack
from tests.stand_ins.firefox import Firefox
from tests.stand_ins.record import wait_until
from tests.stand_ins.web_host import Host

pytestmark = pytest.mark.usefixtures("needs_firefox")

PAGE = """<!doctype html><html lang="en"><title>Somebody else's app</title>
<style>.row { outline: 1px solid red } button { border-radius: 1px }</style>
<p id="theirs" class="row">Theirs <button>Theirs too</button></p>
<contact-card contact-id="CARD"></contact-card>
<contact-view contact-id="VIEW"></contact-view>
<script type="module" src="/their-app.js"></script>"""
SCRIPT = """import { start } from "/js/elements.js";
for (const type of ["contact-open", "contact-seen", "draft-reviewed"])
  document.addEventListener(type, (event) => {
    event.preventDefault();
    document.body.dataset[type.replace("-", "_")] = JSON.stringify(event.detail);
  });
document.body.dataset.started = await start({ token: async () => "TOKEN" });"""
TOLD = "return JSON.parse(document.body.dataset[args[0]] ?? null);"
LOOKS = """const look = (css) => getComputedStyle(document.querySelector(css));
return [look("#theirs").marginTop, look("#theirs").display, look("#theirs button").borderRadius];"""


@pytest.fixture
def drafted(application: Application) -> Task:
    task = application.task(application.contact("Grace Hopper"))
    task.draft("Your compiler")
    task.complete()
    return task


@pytest.fixture
def card(firefox: Firefox, stack: Stack, application: Application, drafted: Task) -> Iterator[str]:
    """Open that app, with a view of the draft's contact and a card of another; returns the card's contact."""
    ada = application.contact("Ada Lovelace")
    token = requests.get(f"{stack.url}/v1/config", timeout=10).json()["demo_token"]
    theirs = {
        "/their-app": ("text/html", PAGE.replace("CARD", ada).replace("VIEW", drafted.contact_id)),
        "/their-app.js": ("text/javascript", SCRIPT.replace("TOKEN", token)),
    }

    def serve(path: str) -> web.Response | str:
        if path not in theirs:
            return stack.url
        content_type, text = theirs[path]
        return web.Response(content_type=content_type, text=text)

    with Host(serve) as host:
        firefox.open(f"{host.url}/their-app")
        firefox.wait_for("[data-started='true']")
        yield ada
        firefox.close_all_tabs()


def test_the_elements_live_in_any_app_tell_what_is_done_and_leave_the_rest_of_it_alone(
    firefox: Firefox, application: Application, drafted: Task, card: str
) -> None:
    application.task(card)
    wait_until(
        lambda: "Outreach" in (firefox.text(hooks.badge(card, "in_progress")) or ""), "the card has its badge"
    )
    firefox.click("contact-card")
    assert {"contactId": card} == firefox.evaluate(TOLD, "contact_open")
    wait_until(
        lambda: {"contactId": drafted.contact_id} == firefox.evaluate(TOLD, "contact_seen"), "it is seen"
    )
    firefox.click(hooks.action("approve"))
    wait_until(lambda: "approved" == drafted.draft_status(), "the draft is approved")
    wait_until(lambda: firefox.evaluate(TOLD, "draft_reviewed") is not None, "the app is told")
    assert ["16px", "block", "1px"] == firefox.evaluate(LOOKS)
