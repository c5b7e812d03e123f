"""The other commands of `taskbell`, against a running stack and a push service: what they do and say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskbell_local.demo_data import AGENTS, CONTACTS, agent_id, contact_id
from tests.functions.local_page import RingingStack, request, ringing_stack, subscribe
from tests.functions.local_stack import sanitised, taskbell
from tests.stand_ins.push_service import Behaviour
from tests.stand_ins.record import wait_until

AGENT_SECONDS = 60


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingingStack]:
    with ringing_stack(tmp_path_factory.mktemp("commands") / "data") as running:
        until_idle(running)
        yield running


def until_idle(stack: RingingStack) -> None:
    """Wait until the demo agent has done what waited for it, and all is handled."""
    open_tasks = "select count(*) from public.agent_tasks where status in ('pending', 'in_progress')"
    open_events = "select count(*) from taskbell.task_events where state = 'due'"
    wait_until(
        lambda: stack.sql(f"select ({open_tasks}) + ({open_events})") == [(0,)],
        "the demo agent has done its work",
        timeout_seconds=AGENT_SECONDS,
    )


def run(stack: RingingStack, command: str, *arguments: str) -> list[str]:
    """Run a command to its good end and return its lines; whether two events met in one batch is chance."""
    done = taskbell(command, "--env", stack.data / "dev.env", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout.replace(" (superseded)", "").splitlines()


def no_burst(stack: RingingStack) -> None:
    """Let earlier notifications be long ago: more than 3 in a minute would be held back as a digest."""
    stack.sql("update taskbell.notifications set created_at = created_at - interval '2 minutes'")


def test_the_demo_shows_contacts_agents_and_every_kind_of_card(stack: RingingStack) -> None:
    found = request(stack, "GET", "/v1/contacts")
    assert {contact["name"] for contact in found["contacts"]} == set(CONTACTS)  # type: ignore[attr-defined]
    assert {agent["name"] for agent in found["agents"]} == set(AGENTS.values())  # type: ignore[attr-defined]
    inbox = request(stack, "GET", "/v1/inbox")
    states = {state["contact_name"]: state["status"] for state in inbox["states"]}  # type: ignore[attr-defined]
    assert (states["Ada Lovelace"], states["Hedy Lamarr"]) == ("draft_ready", "failed")
    assert states["Grace Hopper"] in {"draft_ready", "failed"}


def test_the_demo_agent_takes_a_pending_task_to_its_end(stack: RingingStack) -> None:
    assigned = {"contact_id": contact_id("Barbara Liskov"), "agent_id": agent_id("followup")}
    task = request(stack, "POST", "/v1/tasks", assigned)["task_id"]
    until_idle(stack)
    [ended] = stack.sql(
        """select status, (select count(*) from public.agent_outreach_drafts where task_id = t.id),
           (select count(*) from public.agent_activity_log where task_id = t.id)
           from public.agent_tasks t where id = %s""",
        task,
    )
    assert ended in {("completed", 1, 1), ("failed", 0, 1)}


def test_away_from_a_terminal_the_functions_logs_are_for_machines(stack: RingingStack) -> None:
    logged = [json.loads(line) for line in stack.said().splitlines() if line.startswith("{")]
    answers = [line for line in logged if line["message"] == "answered"]
    assert {("webhook", 200)} <= {(line["stage"], line["status_code"]) for line in answers}


def test_simulate_without_a_subscription_says_what_to_do(stack: RingingStack) -> None:
    told = run(stack, "simulate", "--contact", "grace")
    page = "open http://localhost:N, click “Notify this browser”, and simulate again."
    assert sanitised("\n".join(told)).splitlines() == [
        "Grace Hopper · Outreach · completed",
        "  event N: INSERT in_progress: handled",
        "  event N: UPDATE completed: handled",
        "  notification “Draft ready for Grace Hopper”",
        f"No browser is subscribed yet: {page}",
    ]


@pytest.mark.parametrize("status", ["pending", "in_progress"])
def test_simulate_says_when_nothing_is_meant_to_ring(stack: RingingStack, status: str) -> None:
    told = run(stack, "simulate", "--contact", "Radia", "--status", status)
    assert told[-1] == "Nothing rings for that, but the page shows it: completed and failed tasks ring."
    stack.sql("update public.agent_tasks set status = 'completed' where task_type = 'simulated'")
    until_idle(stack)


def test_simulate_tells_what_became_of_a_task_delivery_by_delivery(stack: RingingStack) -> None:
    no_burst(stack)
    kept = subscribe(stack, "Firefox on the desk")
    subscribe(stack, "An old phone", Behaviour(status=410))
    try:
        told = run(stack, "simulate", "--contact", contact_id("Katherine Johnson"), "--agent", "followup")
        assert sanitised("\n".join(told)).splitlines()[:4] == [
            "Katherine Johnson · Follow-up · completed",
            "  event N: INSERT in_progress: handled",
            "  event N: UPDATE completed: handled",
            "  notification “Draft ready for Katherine Johnson”",
        ]
        changing = r"delivery \d+ to |\(http.*?\)|, \d+(\.\d+)? ms"
        deliveries = sorted(re.sub(changing, "", line) for line in told[4:])
        assert deliveries == [
            "  An old phone : gone with 410",
            "  Firefox on the desk : accepted with 201 after the change",
        ]
        payloads = [json.loads(push.payload or b"{}") for push in stack.push_service.received]
        titles = {payload["notification"]["title"] for payload in payloads}
        # Not these alone: the demo's agent ends what other stories left it, in its own time.
        assert "Draft ready for Katherine Johnson" in titles
    finally:
        request(stack, "DELETE", f"/v1/subscriptions/{kept}")


def test_simulate_tells_that_a_burst_is_held_back(stack: RingingStack) -> None:
    no_burst(stack)
    kept = subscribe(stack, "Firefox on the desk")
    try:
        told = run(stack, "simulate", "--count", "18")
        assert any(line.endswith("held back (quiet hours or a burst)") for line in told), "\n".join(told)
        assert told[-2].startswith("18 tasks, ")
        assert told[-1].startswith(
            "What is held back rings when the quiet hours end or, after 3 notifications"
        )
    finally:
        request(stack, "DELETE", f"/v1/subscriptions/{kept}")


def test_simulate_for_many_users_ends_with_a_summary(stack: RingingStack) -> None:
    told = run(stack, "simulate", "--count", "4", "--users", "2", "--status", "failed")
    assert len([line for line in told if line.endswith("· failed")]) == 4
    assert "4 tasks, 0 deliveries: none" in told
    owners = stack.sql("select count(distinct user_id) from public.agent_tasks where task_type = 'simulated'")
    assert owners == [(2,)]


def test_what_the_demo_shows_at_first_does_not_hold_back_what_rings_next(stack: RingingStack) -> None:
    shown = stack.sql(
        """select count(*), count(*) filter (where created_at > now() - interval '55 minutes')
           from taskbell.notifications where title ~ 'Ada|Hedy' and task_id in
             (select id::text from public.agent_tasks where task_type <> 'simulated')"""
    )
    assert shown == [(2, 0)]


def test_simulate_names_a_contact_that_is_not_there(stack: RingingStack) -> None:
    done = taskbell("simulate", "--env", stack.data / "dev.env", "--contact", "Nobody")
    names = "Ada Lovelace, Barbara Liskov, Grace Hopper, Hedy Lamarr, Katherine Johnson, Radia Perlman"
    told = f"There is no contact called Nobody: leave --contact out, or name one of {names}."
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"taskbell: {told}\n")


def test_status_begins_with_the_push_services_that_refuse_us(stack: RingingStack) -> None:
    assert [re.sub(r"\d+", "N", line) for line in run(stack, "status")] == [
        "push services: none blocked",
        "events: N due, N dead",
        "deliveries: N due, N accepted in the last N hours, N dead",
        "subscriptions: N live, N retired",
    ]
    stack.sql(
        "insert into taskbell.push_services (origin, blocked_until, reason, since)"
        " values ('https://push.example', now() + interval '1 hour', 'unauthorized', now())"
    )
    try:
        first = run(stack, "status")[0]
        assert first.startswith("BLOCKED https://push.example since ")
        assert first.endswith("Check VAPID_PRIVATE_KEY and VAPID_SUBJECT.")
    finally:
        stack.sql("delete from taskbell.push_services where origin = 'https://push.example'")


def test_dead_letters_are_listed_and_sent_again(stack: RingingStack) -> None:
    no_burst(stack)
    kept = subscribe(stack, "A strict phone", Behaviour(status=400), Behaviour())
    stack.sql("alter table public.agent_tasks drop constraint agent_tasks_status")
    try:
        run(stack, "simulate", "--contact", "grace", "--status", "failed")
        stack.sql("update public.agent_tasks set status = 'odd' where id = (select max(id::text)::uuid"
                  " from public.agent_tasks where task_type = 'simulated')")  # fmt: skip
        until_idle(stack)
        told = [re.sub(r"[0-9a-f-]{36}", "ID", line) for line in run(stack, "status")[4:]]
        event, delivery, remedy = told
        assert re.fullmatch(r"dead letter e\d+: UPDATE of task ID: unknown_status", event)
        assert re.fullmatch(r"dead letter d\d+: failed to http://\S+: rejected with 400", delivery)
        name = event.split(":")[0].removeprefix("dead letter ")
        assert remedy == f"Send all of them again: taskbell sweep --again. One of them: --again {name}."
        number = delivery.split(":")[0].removeprefix("dead letter ")
        again = run(stack, "sweep", "--again", number)
        assert again[0] == "due again: 1 delivery"
        assert stack.sql("select state from taskbell.deliveries where id = %s", int(number[1:])) == [
            ("accepted",)
        ]
        stack.sql("update public.agent_tasks set status = 'failed' where status = 'odd'")
        until_idle(stack)
        nothing = "due again: nothing; `taskbell status` lists what is dead"
        assert run(stack, "sweep", "--again")[0] == nothing
        assert len(run(stack, "status")) == 4
    finally:
        stack.sql("update public.agent_tasks set status = 'failed' where status = 'odd'")
        request(stack, "DELETE", f"/v1/subscriptions/{kept}")


def test_sweep_refuses_what_names_no_dead_letter(stack: RingingStack) -> None:
    done = taskbell("sweep", "--env", stack.data / "dev.env", "--again", "x7")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "taskbell: x7 names no dead letter: `taskbell status` lists them as e12 or d7.\n"


def test_sweep_is_signed_and_migrate_finds_nothing_to_do(stack: RingingStack) -> None:
    [swept] = run(stack, "sweep")
    assert swept.startswith("swept: ")
    assert run(stack, "migrate") == ["nothing to do: the database has every migration"]


def test_keys_says_where_each_goes() -> None:
    done = taskbell("keys")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^VAPID_PRIVATE_KEY=[\w-]{43}$", done.stdout, re.MULTILINE)
    assert re.search(r"^WEBHOOK_SECRETS=whsec_[A-Za-z0-9+/]{43}=$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("command", ["simulate", "status", "sweep", "migrate"])
def test_without_a_stack_each_command_says_how_to_start_one(tmp_path: Path, command: str) -> None:
    done = taskbell(command, "--env", tmp_path / "dev.env")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"taskbell: There is no {tmp_path / 'dev.env'}, so no stack runs here: start it with `taskbell dev`,"
        " or name the settings of a deployment with --env FILE.\n"
    )


@pytest.mark.parametrize("command", ["simulate", "status", "sweep", "migrate"])
def test_with_a_stack_that_ended_each_command_says_so(tmp_path: Path, command: str) -> None:
    left = tmp_path / "dev.env"
    left.write_text(
        "DATABASE_URL=postgresql://postgres:x@127.0.0.1:1/postgres\nPUBLIC_URL=http://localhost:1\n"
        "WEBHOOK_SECRETS=whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\n"
    )
    done = taskbell(command, "--env", left)
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not answer: start it with `taskbell dev`" in done.stderr
    assert "Traceback" not in done.stderr
