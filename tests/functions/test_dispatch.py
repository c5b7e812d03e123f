"""From a changed row to a decrypted push, and what the database knows afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from taskbell.app import Application
from taskbell.notify import ring
from taskbell.notify.deliver import Deliverer
from taskbell.notify.dispatch import Dispatcher
from taskbell.notify.receipt import verify_receipt
from tests.functions.bell import SECRET, Behaviour, Bell, message, post, settings_for, signed
from tests.stand_ins.postgrest import PostgREST


def dispatch(bell: Bell) -> dict[str, Any]:
    return bell.application.dispatcher.run(10).as_json()


def test_a_finished_draft_rings_its_owner_with_the_contacts_name(bell: Bell) -> None:
    bell.browser()
    task = bell.new_task(status="in_progress")
    bell.finish(task)
    answer = bell.wake()
    [push] = bell.push_service.received
    shown = message(push)["notification"]
    assert shown["title"] == "Draft ready for Ada Lovelace"
    assert shown["body"] == "Outreach Agent"
    assert shown["navigate"] == f"https://bell.example/?contact={bell.contact}"
    assert shown["app_badge"] == 1
    assert (push.status, push.headers["urgency"], push.headers["topic"]) == (201, "normal", shown["tag"])
    assert answer["dispatched"]["accepted"] == 1
    assert bell.delivery_states() == ["accepted"]
    assert bell.states() == [("draft_ready", True)]


def test_the_same_way_leads_through_supabases_own_client(bell: Bell) -> None:
    bell.browser()
    bell.finish(bell.new_task(status="in_progress"))
    keys = {"secret_key": "sb_secret_test", "publishable_key": "sb_publishable_test", "verify_key": ""}
    with PostgREST(bell.database.url, **keys) as rest:
        deployed = settings_for(
            "", bell.push_service.origin, SUPABASE_URL=rest.url, SUPABASE_SECRET_KEY=rest.secret_key
        )
        application = Application(deployed, push_ca_file=bell.push_service.ca_file)
        body = b'{"type":"taskbell.wakeup"}'
        try:
            answer = application.webhook(post(body, signed(body))).get_json()
        finally:
            application.close()
    assert answer["dispatched"]["accepted"] == 1
    assert [call.rsplit("/", 1)[1] for call in rest.calls] == [
        f"taskbell_{s}" for s in ("claim", "apply", "settle")
    ]
    assert [shown["title"] for shown in bell.shown()] == ["Draft ready for Ada Lovelace"]


def test_each_browser_of_the_owner_rings_and_nobody_elses(bell: Bell) -> None:
    stranger = bell.database.user()
    bell.browser(user=stranger)
    mine = {bell.endpoints[bell.browser()] for _ in range(3)}
    bell.new_task(status="completed")
    assert dispatch(bell)["accepted"] == 3
    assert {push.endpoint for push in bell.push_service.received} == mine


def test_a_receipt_names_its_delivery(bell: Bell) -> None:
    bell.browser()
    bell.new_task(status="completed")
    dispatch(bell)
    [shown] = bell.shown()
    assert verify_receipt(shown["data"]["receipt"], [SECRET]) == int(shown["data"]["delivery"])


def test_a_failure_is_urgent_and_says_why(bell: Bell) -> None:
    bell.browser()
    bell.new_task(status="failed", error_message="The mailbox is full")
    dispatch(bell)
    [push] = bell.push_service.received
    shown = message(push)["notification"]
    assert (shown["title"], shown["body"]) == (
        "Outreach Agent failed for Ada Lovelace",
        "The mailbox is full",
    )
    assert (push.headers["urgency"], shown["data"]["sticky"]) == ("high", True)


@pytest.mark.parametrize("named", ["another's", "missing", "number", "nothing"])
def test_a_contact_that_is_not_the_owners_lends_no_name(bell: Bell, named: str) -> None:
    bell.browser()
    foreign = bell.new_contact("Grace Hopper", user=bell.database.user())
    contact = {
        "another's": foreign,
        "missing": "6f6d3c0e-0000-4000-8000-00000000dead",
        "number": 7,
        "nothing": None,
    }
    bell.new_task(status="completed", input_data={"contactId": contact[named]})
    assert dispatch(bell)["accepted"] == 1
    [push] = bell.push_service.received
    assert message(push)["notification"]["title"] == "Outreach Agent finished"
    assert b"Grace" not in (push.payload or b"")
    assert foreign.encode() not in (push.payload or b"")
    assert bell.states() == []


def test_a_task_that_runs_again_replaces_what_it_said_before(bell: Bell) -> None:
    bell.browser()
    task = bell.new_task(status="completed")
    dispatch(bell)
    for status in ("pending", "in_progress", "failed"):
        bell.set_task(task, status=status)
        dispatch(bell)
    first, second = bell.shown()
    assert first["tag"] == second["tag"]
    assert first["data"]["event_id"] < second["data"]["event_id"]
    assert bell.states() == [("failed", True)]


def test_what_was_deleted_before_it_was_sent_is_not_sent(bell: Bell) -> None:
    bell.browser(Behaviour(status=503), Behaviour())
    task = bell.new_task(status="completed")
    assert dispatch(bell)["retry"] == 1
    bell.delete_task(task)
    bell.let_time_pass(minutes=5)
    dispatch(bell)
    assert bell.delivery_states() == ["cancelled"]
    assert bell.states() == []


def test_what_a_newer_change_replaces_is_not_sent_any_more(bell: Bell) -> None:
    bell.browser(Behaviour(status=503), Behaviour())
    task = bell.new_task(status="completed")
    assert dispatch(bell)["retry"] == 1
    bell.set_task(task, status="failed")
    bell.let_time_pass(minutes=5)
    assert dispatch(bell)["accepted"] == 1
    assert [shown["data"]["kind"] for shown in bell.shown()] == ["completed", "failed"]
    assert bell.delivery_states() == ["superseded", "accepted"]


def test_the_same_change_told_ten_times_rings_once(bell: Bell) -> None:
    bell.browser()
    bell.new_task(status="completed")
    for _ in range(10):
        bell.wake()
    assert len(bell.push_service.received) == 1


def test_many_dispatchers_at_once_ring_once_each(bell: Bell) -> None:
    bell.browser()
    bell.prefer(digest=False)
    contacts = [bell.new_contact(f"Contact {number}") for number in range(30)]
    for contact in contacts:
        bell.new_task(status="completed", input_data={"contactId": contact})
    small = [
        Dispatcher(
            bell.gateway,
            bell.application.sender,
            public_url="https://bell.example",
            secrets=[SECRET],
            batch=3,
        )
        for _ in range(4)
    ]
    with ThreadPoolExecutor(len(small)) as pool:
        summaries = list(pool.map(lambda one: one.run(20), small))
    assert sum(one.accepted for one in summaries) == 30
    assert len({shown["tag"] for shown in bell.shown()}) == len(bell.shown()) == 30


def test_a_throttled_push_is_sent_again_when_the_push_service_asks(bell: Bell) -> None:
    bell.browser(Behaviour(status=429, headers={"retry-after": "40"}), Behaviour())
    bell.new_task(status="completed")
    assert dispatch(bell)["retry"] == 1
    bell.let_time_pass(seconds=35)
    assert dispatch(bell)["deliveries"] == 0
    bell.let_time_pass(seconds=10)
    assert dispatch(bell)["accepted"] == 1
    first, second = bell.shown()
    assert (first["tag"], first["data"]["event_id"]) == (second["tag"], second["data"]["event_id"])


@pytest.mark.parametrize("status", [404, 410])
def test_only_a_push_service_that_says_gone_retires_a_browser(bell: Bell, status: int) -> None:
    bell.browser(Behaviour(status=status))
    bell.new_task(status="completed")
    assert dispatch(bell)["gone"] == 1
    subscriptions = bell.database.rpc("taskbell_subscriptions", p_user_id=bell.owner)["subscriptions"]
    assert subscriptions == [] or subscriptions[0]["retired_at"] is not None


def test_a_push_service_that_refuses_us_is_left_alone_and_nobody_retired(bell: Bell) -> None:
    bell.browser(Behaviour(status=403), Behaviour())
    bell.browser(Behaviour(status=403), Behaviour())
    bell.new_task(status="completed")
    assert dispatch(bell)["misconfigured"] == 2
    bell.new_task(status="completed", input_data={"contactId": bell.new_contact("Grace")})
    assert dispatch(bell)["deliveries"] == 0
    status = bell.database.rpc("taskbell_status")
    assert [one["origin"] for one in status["blocked_push_services"]] == [bell.push_service.origin]
    assert status["subscriptions"] == {"live": 2, "retired": 0}
    bell.let_time_pass(minutes=30)
    assert dispatch(bell)["accepted"] == 4


def test_a_message_that_a_push_service_will_never_take_is_a_dead_letter(bell: Bell) -> None:
    bell.browser(Behaviour(status=400))
    bell.new_task(status="completed")
    assert dispatch(bell)["rejected"] == 1
    assert len(bell.database.rpc("taskbell_dead_letters", p_limit=9)["deliveries"]) == 1


def test_a_burst_rings_three_times_and_then_once_for_the_rest(bell: Bell) -> None:
    bell.browser()
    for number in range(12):
        contact = bell.new_contact(f"Contact {number}")
        bell.new_draft(bell.new_task(status="in_progress", input_data={"contactId": contact}))
    bell.database.execute("update public.agent_tasks set status = 'completed' where true")
    assert dispatch(bell)["accepted"] == 3
    bell.let_time_pass(minutes=2)
    assert dispatch(bell)["accepted"] == 9
    assert len(bell.push_service.received) == 4
    digest = bell.shown()[-1]
    assert digest["title"] == "9 drafts ready"
    assert digest["body"].endswith("and 4 more")
    assert digest["app_badge"] == 12


def test_quiet_hours_hold_until_they_end(bell: Bell) -> None:
    bell.browser()
    bell.prefer(quiet_hours={"from": "00:00", "until": "23:59"}, time_zone="UTC")
    bell.new_task(status="completed")
    summary = dispatch(bell)
    assert (summary["notified"], summary["deliveries"]) == (1, 0)
    assert bell.states() == [("completed", True)]
    bell.let_time_pass(hours=24)
    assert dispatch(bell)["accepted"] == 1


@pytest.mark.parametrize("preference", ["kind", "agent", "contact"])
def test_what_the_owner_muted_changes_the_badge_in_silence(bell: Bell, preference: str) -> None:
    bell.browser()
    muted: dict[str, dict[str, Any]] = {
        "kind": {"kinds": {"completed": False}},
        "agent": {"agents": {bell.agent: False}},
        "contact": {"muted_contacts": [bell.contact]},
    }
    bell.prefer(**muted[preference])
    bell.new_task(status="completed")
    assert dispatch(bell)["notified"] == 0
    assert bell.states() == [("completed", True)]


def test_a_test_bell_rings_one_browser_and_tells_what_happened(bell: Bell) -> None:
    deliverer = Deliverer(bell.application.sender, public_url="https://bell.example", secrets=[SECRET])
    test_bell = ring.TestBell(bell.gateway, deliverer)
    bell.prefer(language="de")
    good, bad = bell.browser(), bell.browser(Behaviour(status=410))
    outcomes = [test_bell.ring(bell.owner, subscription) for subscription in (good, bad)]
    assert [one and (one.kind, one.status_code) for one in outcomes] == [("accepted", 201), ("gone", 410)]
    assert bell.shown()[0]["title"] == "Benachrichtigungen kommen hier an"
    assert test_bell.ring(bell.database.user(), good) is None


def test_a_status_that_nobody_knows_is_a_dead_letter(bell: Bell) -> None:
    bell.database.execute("alter table public.agent_tasks drop constraint agent_tasks_status")
    task = bell.new_task(status="abandoned")
    assert dispatch(bell)["dead"] == 1
    assert bell.event_reasons(task) == [("dead", "unknown_status")]


def test_a_backlog_is_worked_off_in_batches(bell: Bell) -> None:
    bell.browser()
    bell.database.execute(
        "insert into public.agent_tasks (user_id, agent_id, status)"
        " select %s, %s, 'in_progress' from generate_series(1, 350)",
        bell.owner,
        bell.agent,
    )
    summary = dispatch(bell)
    assert (summary["events"], summary["more"]) == (350, False)
