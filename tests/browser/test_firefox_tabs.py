"""Several tabs in Firefox: one connection, all in step, and no gap when the tab that held it goes."""

import pytest

from tests.browser import hooks
from tests.browser.application import Application
from tests.browser.stack import Stack
from tests.stand_ins.firefox import Firefox
from tests.stand_ins.record import wait_until

pytestmark = pytest.mark.usefixtures("needs_firefox")

OPEN_ANOTHER = "self.open(args[0]);"
CLOSE_THIS = "setTimeout(() => self.close());"
LOCKS = """const { held, pending } = await navigator.locks.query();
return [held, pending].map((locks) => locks.filter(({ name }) => name === "taskbell-updates").length);"""


def test_three_tabs_share_one_connection_and_the_next_takes_over_when_its_tab_goes(
    firefox: Firefox, stack: Stack, application: Application
) -> None:
    task = application.task(application.contact("Ada Lovelace"))
    places = {"settings": "/?settings", "contact": f"/?contact={task.contact_id}"}
    firefox.close_all_tabs()
    firefox.open(stack.url)
    firefox.wait_for(hooks.updates("live"))
    for place in places.values():
        firefox.evaluate(OPEN_ANOTHER, stack.url + place)
        firefox.switch_to(place)
        firefox.wait_for(hooks.updates("live"))
    assert 3 == len(firefox.tabs())
    wait_until(lambda: [1, 2] == firefox.evaluate(LOCKS), "one holds the connection, two wait in line")

    task.fail("No address to write to")
    firefox.switch_to(places["contact"])  # the newest, which was looked at last
    firefox.wait_for(f'{hooks.TASK}[data-status="failed"]')
    firefox.switch_to(places["settings"])
    firefox.wait_for(f"{hooks.card(task.contact_id)} [data-status]")
    firefox.switch_to(places["contact"])
    firefox.evaluate(CLOSE_THIS)
    firefox.switch_to(places["settings"])
    wait_until(lambda: [1, 1] == firefox.evaluate(LOCKS), "the next tab holds the connection")
    task.run_again()
    firefox.wait_for(hooks.badge(task.contact_id, "pending"))
