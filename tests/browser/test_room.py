"""What stays in its place, or comes for a moment, covers nothing that is read or pressed."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import hooks
from tests.browser.application import Application, Task
from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")

SIZES = {"phone": (360, 640), "desktop": (1280, 640)}
# Steps through all that a view has to scroll, and looks at each point of what stays or comes: what is read or
# pressed there, and is neither part of it nor holds it, is covered by it, or covers it.
COVERED = """async (floating) => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const says = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const counts = (element) => says(element) || element.matches("button, input, select, textarea, a");
  const scroller = [document.querySelector("#side"), document.scrollingElement].find((element) =>
    element.scrollHeight > element.clientHeight + 40 && getComputedStyle(element).overflowY !== "hidden");
  const found = new Set();
  let steps = 0;
  for (let top = 0; ; top += 80, steps += 1) {
    scroller.scrollTop = top;
    await painted();
    for (const one of document.querySelectorAll(floating)) {
      one.style.pointerEvents = "auto"; // what lets clicks through is seen all the same
      const { left, right, top, bottom } = one.getBoundingClientRect();
      for (let x = left + 2; x < right - 1; x += 8)
        for (let y = top + 2; y < bottom - 1; y += 4)
          for (const other of document.elementsFromPoint(x, y).filter(counts))
            if (!one.contains(other) && !other.contains(one)) found.add(other.outerHTML.slice(0, 80));
    }
    if (scroller.scrollTop < top) return { steps, found: [...found] };
  }
}"""
IN_VIEW = """(css) => {
  const { top, bottom, left, right } = document.querySelector(css).getBoundingClientRect();
  return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
}"""
MESSAGE = "That did not work. Please try again."
SAY = """async (message) => {
  (await import("/js/announce.js")).toast(message);
  document.querySelector("#toasts p").remove = () => {}; // it would go while we look
}"""


@pytest.fixture(scope="module")
def task(application: Application) -> Task:
    """Fill a contact's view with more than a window holds."""
    task = application.task(application.contact("Ada Lovelace"))
    for number in range(5):
        task.draft(f"Draft {number}")
        application.plan(task.contact_id, f"Follow-up {number}")
        application.log(task.contact_id, f"step_{number}")
    task.fail("No address to write to")
    wait_until(application.nothing_is_due, "all of it is known")
    return task


@pytest.mark.parametrize("size", SIZES)
def test_neither_the_way_back_nor_a_message_covers_anything(
    page: Page, stack: Stack, task: Task, size: str
) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(reduced_motion="reduce")
    for address, ready in {
        f"/?contact={task.contact_id}": f"{hooks.TASK} {hooks.action('retry')}",
        "/?settings": hooks.preference("digest"),
    }.items():
        page.goto(stack.url + address)
        expect(page.locator(ready)).to_be_visible()
        page.evaluate(SAY, MESSAGE)
        expect(page.locator(hooks.TOAST)).to_have_text(MESSAGE)
        looked = page.evaluate(COVERED, f"{hooks.CLOSE}, {hooks.TOAST} p")
        assert [] == looked["found"], address
        assert looked["steps"] > 3, "there was something to scroll"
        assert page.evaluate(IN_VIEW, f"{hooks.TOAST} p"), "the message stays in view"
        if size == "phone":
            assert page.evaluate(IN_VIEW, hooks.CLOSE), "so does the way back"
