"""Everything that can happen, in any order, with what must be true after each step.

In: hypothesis's choices. Out: a broken promise, with the shortest way to it. Touches one database.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.database.database import Database
from tests.database.model_air import Air
from tests.database.model_browsers import Browsers
from tests.database.model_end import is_quiet, nothing_is_lost
from tests.database.model_people import Memory
from tests.database.model_steps import STEPS, Change, Live, Step, Wait, Work
from tests.database.model_tasks import Tasks

CLEAN = """
truncate auth.users, public.contacts, public.agents, public.agent_tasks, public.agent_outreach_drafts,
taskbell.task_events, taskbell.tasks, taskbell.push_services, net.http_request_queue cascade
"""
STATES = "select user_id::text, contact_id, agent_id, task_id, status, unseen from taskbell.contact_states"


class Machine(RuleBasedStateMachine):
    """Two people, one of whom has digests; `counts` adds up over all runs."""

    database: Database
    counts: Counter[str]

    @initialize()
    def begin(self) -> None:
        with psycopg.connect(self.database.superuser_url, autocommit=True) as connection:
            connection.execute(CLEAN)
        self.now = datetime.now(UTC) + timedelta(seconds=5)
        self.memory = Memory()
        self.tasks = Tasks(self.database, self.memory)
        self.browsers = Browsers(lambda: self.now)
        self.air = Air(self.database, self.memory, self.browsers, lambda: self.now, self.counts)
        self.subscriptions: list[tuple[str, str, str]] = []  # person, id, endpoint
        self.endpoints = 0
        for number, person in enumerate(self.tasks.people):
            self.database.rpc(
                "taskbell_change_preferences", p_user_id=person, p_change={"digest": number == 1}
            )
            self._subscribe(person)
        self.counts["runs"] += 1

    @rule(step=STEPS)
    def step(self, step: Step) -> None:
        """Whatever may happen next."""
        match step:
            case Change():
                self._change(step)
            case Work():
                self._work(step)
            case Live():
                self._live(step)
            case Wait():
                self.now += timedelta(seconds=step.seconds)

    @invariant()
    def contacts_show_what_a_fold_over_the_versions_says(self) -> None:
        self.counts["steps"] += 1
        actual = {(u, c, a): (t, s, n) for u, c, a, t, s, n in self.database.execute(STATES)}
        assert self.memory.shown() == actual

    @invariant()
    def exactly_what_is_news_has_rung(self) -> None:
        actual = self.database.execute("select event_id, user_id::text from taskbell.notifications")
        assert sorted(self.memory.rings) == sorted(actual)

    def teardown(self) -> None:
        """From now on all goes well; in the end nothing is due, and nothing was lost."""
        if not hasattr(self, "endpoints"):
            return
        self.air.kill_all()
        for _, _, endpoint in self.subscriptions:
            self.browsers.turn(endpoint, "good")
        for _ in range(60):
            self.air.dispatch(100)
            if is_quiet(self.database):
                break
            self.now += timedelta(minutes=16)
        assert is_quiet(self.database)
        self.contacts_show_what_a_fold_over_the_versions_says()
        self.exactly_what_is_news_has_rung()
        nothing_is_lost(self.database, self.memory, self.browsers)
        self.counts["events"] += len(self.memory.versions)
        self.counts["rings"] += len(self.memory.rings)

    def _change(self, step: Change) -> None:
        tasks = self.tasks
        there, gone = tasks.there, tasks.gone
        if step.what == "bring back" and gone:
            tasks.bring_back(gone[step.which % len(gone)], step.statuses[0])
        elif step.what == "add" or not there:
            tasks.add(step.person, step.contact, step.agent, step.statuses[0])
        else:
            old = there[step.which % len(there)]
            match step.what:
                case "finish":
                    tasks.finish_with_a_draft(old)
                case "move":
                    tasks.move(old, step.contact)
                case "touch":
                    tasks.touch(old)
                case "reword":
                    tasks.reword(old)
                case "delete":
                    tasks.delete(old)
                case "tell":
                    answer = tasks.dashboard_webhook(old)
                    assert (False, "captured_by_trigger") == (answer["recorded"], answer["reason"])
                case _:
                    tasks.set_statuses(old, step.statuses)

    def _work(self, step: Work) -> None:
        flights = self.air.flights
        if step.what == "dispatch":
            self.air.dispatch(step.batch)
        elif step.what == "start" or not flights:
            self.air.start(step.batch)
        elif step.what == "land":
            self.air.land(flights[step.which % len(flights)])
        elif step.what == "send":
            self.air.send(flights[step.which % len(flights)])
        else:
            self.air.step(flights[step.which % len(flights)], step.what)

    def _live(self, step: Live) -> None:
        owner = self.tasks.people[step.person]
        if step.what == "look":
            contact = self.tasks.contacts[owner][step.contact]
            self.database.rpc("taskbell_seen", p_user_id=owner, p_contact_id=contact, p_now=self.now)
            self.memory.look_at(owner, contact)
        elif step.what == "subscribe" or not self.subscriptions:
            self._subscribe(owner)
        elif step.what == "mood":
            self.browsers.turn(self.subscriptions[step.which % len(self.subscriptions)][2], step.mood)
        else:
            owner, subscription, _ = self.subscriptions.pop(step.which % len(self.subscriptions))
            self.database.rpc("taskbell_unsubscribe", p_user_id=owner, p_subscription_id=subscription)

    def _subscribe(self, owner: str) -> None:
        self.endpoints += 1
        endpoint = f"https://push.example/{self.endpoints}"
        browser = {
            "endpoint": endpoint,
            "origin": f"https://push{self.endpoints % 2}.example",
            "p256dh": "p",
            "auth": "a",
            "vapid_public_key": "v",
        }
        stored = self.database.rpc("taskbell_subscribe", p_user_id=owner, p_subscription=browser)
        if "id" in stored:
            self.subscriptions.append((owner, stored["id"], endpoint))
