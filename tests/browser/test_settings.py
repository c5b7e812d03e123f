"""What is set on one browser holds for every other: Chromium is the page, Firefox is what rings."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import hooks
from tests.browser.application import Application, Task
from tests.browser.screen import Screen
from tests.browser.stack import Stack
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_firefox", "needs_chromium", "firefox")

CONFIRM_MS = 15_000  # how long the page waits for the worker's word on a test


@pytest.fixture
def settings(page: Page, stack: Stack) -> Page:
    page.goto(f"{stack.url}/?settings")
    expect(page.locator(hooks.preference("digest"))).to_be_visible()
    return page


@pytest.fixture
def switch(settings: Page, application: Application) -> Callable[[str], None]:
    """Flip a switch of the settings and wait until the server has it."""

    def is_on(name: str) -> bool:
        stored = application.preferences()
        topic, _, id = name.partition(":")  # noqa: A001
        return {
            "kind": lambda: bool(stored["kinds"][id]),
            "agent": lambda: bool(stored["agents"].get(id, True)),
            "quiet": lambda: stored["quiet_hours"] is not None,
            "digest": lambda: bool(stored["digest"]),
        }[topic]()

    def flip(name: str) -> None:
        field = settings.locator(hooks.preference(name))
        wanted = not field.is_checked()
        field.click()
        wait_until(lambda: wanted == is_on(name), f"{name} is kept")

    return flip


def the_firefox(settings: Page) -> Locator:
    return settings.locator(hooks.BROWSER).filter(has_text="Firefox on Linux")


def task(application: Application, name: str) -> Task:
    return application.task(application.contact(name))


def test_another_browser_is_tested_and_says_that_it_rang(settings: Page, shown: Screen) -> None:
    firefox = the_firefox(settings)
    firefox.locator(hooks.action("test")).click()
    shown.wait_for("Notifications work here")
    expect(firefox.locator(hooks.HEALTH)).to_have_text("It rang.", timeout=CONFIRM_MS)
    settings.reload()
    expect(firefox.locator(hooks.HEALTH)).to_contain_text("Tested now")


def test_another_browser_is_renamed(settings: Page, stack: Stack) -> None:
    the_firefox(settings).locator(hooks.action("rename")).click()
    settings.get_by_label("New name").fill("Firefox on Linux, at the window")
    settings.keyboard.press("Enter")
    expect(the_firefox(settings)).to_contain_text("at the window")
    assert [("Firefox on Linux, at the window",)] == stack.sql(
        "select name from taskbell.subscriptions where name like 'Firefox%%' and retired_at is null"
    )


def test_a_kind_that_is_switched_off_does_not_ring(
    switch: Callable[[str], None], application: Application, shown: Screen
) -> None:
    switch("kind:completed")
    task(application, "Silent").complete()
    task(application, "Hedy Lamarr").fail("No address to write to")
    shown.wait_for("Outreach failed for Hedy Lamarr")
    switch("kind:completed")
    task(application, "Ada Lovelace").complete()
    shown.wait_for("Outreach finished for Ada Lovelace")
    assert ["Outreach failed for Hedy Lamarr", "Outreach finished for Ada Lovelace"] == shown.titles()


def test_an_agent_that_is_switched_off_does_not_ring(
    switch: Callable[[str], None], application: Application, stack: Stack
) -> None:
    switch(f"agent:{application.agent_id}")
    silent = task(application, "Silent")
    silent.complete()
    wait_until(application.nothing_is_due, "the end is known")
    switch(f"agent:{application.agent_id}")
    assert [] == stack.sql("select kind from taskbell.notifications where task_id = %s", silent.id)


def test_a_muted_contact_does_not_ring(
    page: Page, stack: Stack, application: Application, shown: Screen
) -> None:
    grace = application.contact("Grace Hopper")
    page.goto(f"{stack.url}/?contact={grace}")
    page.click(hooks.action("mute"))
    wait_until(lambda: grace in application.preferences()["muted_contacts"], "she is muted")
    application.task(grace).complete()
    task(application, "Radia Perlman").complete()
    shown.wait_for("Outreach finished for Radia Perlman")
    assert ["Outreach finished for Radia Perlman"] == shown.titles()

    page.goto(f"{stack.url}/?settings")
    page.get_by_role("button", name="Unmute").click()
    expect(page.get_by_role("button", name="Unmute")).to_have_count(0)
    wait_until(lambda: [] == application.preferences()["muted_contacts"], "nobody is muted")
    application.task(grace).complete()
    shown.wait_for("Outreach finished for Grace Hopper")


def test_in_quiet_hours_a_notification_is_held_until_they_end(
    settings: Page, switch: Callable[[str], None], application: Application, stack: Stack
) -> None:
    switch("quiet")
    local = "m => new Date(Date.now() + m * 60_000).toTimeString().slice(0, 5)"
    quiet = {"from": settings.evaluate(local, arg=-60), "until": settings.evaluate(local, arg=60)}
    for name, value in quiet.items():
        settings.locator(hooks.preference(name)).fill(value)
    wait_until(lambda: quiet == application.preferences()["quiet_hours"], "the hours are kept")
    held = task(application, "Barbara Liskov")
    held.complete()
    wait_until(application.nothing_is_due, "the end is known")
    switch("quiet")
    [(minutes, state)] = stack.sql(
        """select extract(epoch from d.due_at - now()) / 60, d.state
           from taskbell.notifications n join taskbell.deliveries d on d.notification_id = n.id
           where n.task_id = %s""",
        held.id,
    )
    assert "due" == state
    assert 58 < minutes < 61


def test_quiet_hours_are_those_of_the_time_zone_that_is_chosen(
    settings: Page, switch: Callable[[str], None], application: Application, stack: Stack
) -> None:
    switch("quiet")
    quiet, zone = {"from": "00:00", "until": "23:59"}, "Pacific/Kiritimati"
    settings.locator(hooks.preference("from")).fill(quiet["from"])
    settings.locator(hooks.preference("until")).fill(quiet["until"])
    settings.locator(hooks.preference("time_zone")).select_option(zone)
    wait_until(lambda: quiet == application.preferences()["quiet_hours"], "the hours are kept")
    wait_until(lambda: zone == application.preferences()["time_zone"], "the time zone is kept")
    held = task(application, "Sophie Germain")
    held.complete()
    wait_until(application.nothing_is_due, "the end is known")
    switch("quiet")
    [(ends,)] = stack.sql(
        """select to_char(d.due_at at time zone 'Pacific/Kiritimati', 'HH24:MI')
           from taskbell.notifications n join taskbell.deliveries d on d.notification_id = n.id
           where n.task_id = %s""",
        held.id,
    )
    assert "23:59" == ends


def test_a_burst_rings_once_for_all_that_came_too_fast_unless_that_is_switched_off(
    switch: Callable[[str], None], application: Application, shown: Screen
) -> None:
    names = [f"Contact {number}" for number in range(6)]
    tasks = [task(application, name) for name in names]
    wait_until(application.nothing_is_due, "the tasks are known")
    application.has_been_calm()
    switch("digest")
    for one in tasks:
        one.complete()
        wait_until(application.nothing_is_due, "its end is known")
    application.a_minute_passes()
    assert {"Contact 3", "Contact 4", "Contact 5"} == set(shown.wait_for("3 finished").body.split(", "))
    assert 4 == len(shown.titles())

    switch("digest")
    for one in tasks:
        one.run_again()
        one.complete()
    for name in names:
        shown.wait_for(f"Outreach finished for {name}")


def test_who_chooses_german_is_notified_in_german(
    settings: Page, application: Application, shown: Screen
) -> None:
    language = settings.locator(hooks.preference("language"))
    language.select_option("de")
    expect(settings.get_by_role("heading", name="Einstellungen")).to_be_visible()
    katherine = task(application, "Katherine Johnson")
    katherine.draft()
    katherine.complete()
    assert "Outreach" in shown.wait_for("Entwurf fertig für Katherine Johnson").body
    language.select_option("en")
    expect(settings.get_by_role("heading", name="Settings")).to_be_visible()


def test_a_browser_that_is_removed_does_not_ring_any_more(
    settings: Page, application: Application, stack: Stack, shown: Screen
) -> None:
    remove = the_firefox(settings).locator(hooks.action("remove"))
    remove.click()
    expect(remove).to_have_text("Really remove?")
    remove.click()
    expect(the_firefox(settings)).to_have_count(0)

    silent = task(application, "Emmy Noether")
    silent.complete()
    wait_until(application.nothing_is_due, "the end is known")
    assert [] == stack.sql(
        """select d.id from taskbell.notifications n join taskbell.deliveries d on d.notification_id = n.id
           where n.task_id = %s""",
        silent.id,
    )
    assert [] == shown.titles()
