"""The pictures of the README, made of the demo as everyone gets it; `pytest --basetemp` says where."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from taskbell_local.demo_data import DEMO_USER_ID, agent_id, contact_id
from tests.browser import hooks
from tests.browser.stack import Stack

pytestmark = pytest.mark.usefixtures("needs_chromium")

LARGEST_BYTES = 150_000
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
PICTURES: dict[str, tuple[Literal["light", "dark"], int, int, int]] = {
    "phone": ("dark", 390, 844, 2),
    "desktop": ("light", 1280, 860, 1),
}
BADGES = {"Hedy Lamarr": "failed", "Radia Perlman": "in_progress", "Barbara Liskov": "draft_ready"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("demo"), {}, demo=True) as demo:
        for name, kind, status in (
            ("Radia Perlman", "followup", "in_progress"),
            ("Barbara Liskov", "outreach", "completed"),
        ):
            [(task,)] = demo.sql(
                """insert into agent_tasks (user_id, agent_id, status, input_data)
                   values (%s, %s, 'in_progress', jsonb_build_object('contactId', %s::text)) returning id""",
                *(DEMO_USER_ID, agent_id(kind), contact_id(name)),
            )
            if status == "completed":
                demo.sql(
                    """insert into agent_outreach_drafts
                         (user_id, contact_id, agent_id, task_id, subject, body)
                       values (%s, %s, %s, %s, 'Substitutes welcome', 'Dear Barbara, shall we talk?')""",
                    *(DEMO_USER_ID, contact_id(name), agent_id(kind), task),
                )
            demo.sql("update agent_tasks set status = %s where id = %s", status, task)
        yield demo


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_a_contact_with_a_draft(
    page: Page, browser: BrowserContext, demo: Stack, tmp_path: Path, name: str
) -> None:
    light, width, height, sharpness = PICTURES[name]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=light, reduced_motion="reduce")
    page.goto(f"{demo.url}/?contact={contact_id('Ada Lovelace')}")
    expect(page.locator(hooks.DRAFT)).to_contain_text("Your notes on the engine")
    for contact, status in BADGES.items():
        expect(page.locator(hooks.badge(contact_id(contact), status))).to_have_count(1)
    expect(page.locator(hooks.badge(contact_id("Ada Lovelace")))).to_have_count(
        0
    )  # it is open, so it is seen
    page.evaluate(PAINTED)
    picture = tmp_path / f"{name}.png"
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": sharpness}
    taken = browser.new_cdp_session(page).send("Page.captureScreenshot", {"clip": clip})
    picture.write_bytes(base64.b64decode(taken["data"]))
    assert picture.stat().st_size < LARGEST_BYTES
