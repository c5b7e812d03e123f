"""What agents and other people do to a contact shows by itself, on its card and in its view."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_chromium")


def test_each_agent_has_a_badge_of_its_own_in_every_status(
    page: Page, stack: Stack, application: Application
) -> None:
    ada = application.contact("Ada Lovelace")
    followup = application.another_agent("Follow-up")
    page.goto(stack.url)
    expect(page.locator(hooks.updates("live"))).to_be_visible()

    outreach, other = application.task(ada), application.task(ada, followup)
    badges = page.locator(hooks.badge(ada))
    expect(badges).to_have_text(["Working Follow-up", "Working Outreach"])
    other.fail("No address to write to")
    expect(badges).to_have_text(["Failed Follow-up", "Working Outreach"])
    outreach.complete()
    expect(badges).to_have_text(["Failed Follow-up", "Finished Outreach"])
    other.run_again()
    expect(badges).to_have_text(["Finished Outreach", "Waiting Follow-up"])
    outreach.run_again()
    outreach.draft()
    outreach.complete()
    expect(badges).to_have_text(["Draft ready Outreach", "Waiting Follow-up"])
    outreach.delete()
    expect(badges).to_have_text(["Waiting Follow-up"])


def test_a_task_tells_how_long_it_has_been_running(
    page: Page, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Radia Perlman"))
    wait_until(application.nothing_is_due, "the task is known")
    page.clock.install()
    page.goto(f"{stack.url}/?contact={task.contact_id}")
    clock = page.locator(hooks.ELAPSED)
    expect(clock).to_have_text(re.compile(r"^0:\d\d$"))
    page.clock.fast_forward(3_600_000)
    expect(clock).to_have_text(re.compile(r"^1:00:\d\d$"))


def test_follow_ups_activity_and_what_becomes_of_drafts_appear_while_one_looks(
    page: Page, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Grace Hopper"))
    task.draft("Your compiler")
    task.complete()
    wait_until(application.nothing_is_due, "the draft is known")
    page.goto(f"{stack.url}/?contact={task.contact_id}")
    draft = page.locator(hooks.DRAFT)
    expect(draft).to_have_attribute("data-status", "draft")

    application.plan(task.contact_id, "Ask how the landing went")
    expect(page.locator(hooks.FOLLOWUP)).to_contain_text("Ask how the landing went")
    application.log(task.contact_id, "draft_created")
    expect(page.get_by_test_id("part-activity")).to_contain_text("Draft created")
    for status, says in (("approved", "Approved"), ("sent", "Sent")):
        task.decide(status)
        expect(draft).to_have_attribute("data-status", status)
        expect(draft).to_contain_text(says)
