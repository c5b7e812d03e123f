"""Contacts, tasks and drafts over HTTP: a user's whole way, and nobody on anyone else's."""

import json
import uuid

import pytest

from tests.functions.api.stage import Stage, reason

NOT_IDS = ["1", "nonsense", "x" * 200, "%F0%9F%94%94", "a%20b", "';--", "*"]


def test_the_list_names_own_contacts_and_own_and_everyones_agents(stage: Stage) -> None:
    ada_id, ada = stage.someone()
    _, grace = stage.someone()
    contact = stage.rows.contact(ada_id, "Charles Babbage")
    own, everyones = stage.rows.agent(ada_id, "Mine"), stage.rows.agent(None, "Everyone's")
    listed = ada.get("/v1/contacts").json()
    babbage = {"id": contact, "name": "Charles Babbage", "email": None, "company": None}
    assert [babbage] == listed["contacts"]
    assert {own, everyones} <= {agent["id"] for agent in listed["agents"]}
    others = grace.get("/v1/contacts").json()
    assert others["contacts"] == []
    assert own not in {agent["id"] for agent in others["agents"]}


def test_a_contact_shows_what_agents_do_wrote_plan_and_did(stage: Stage) -> None:
    user_id, browser = stage.someone()
    contact, agent = stage.rows.contact(user_id), stage.rows.agent(name="Outreach")
    done = stage.rows.task(user_id, contact, agent, status="completed")
    active = stage.rows.task(user_id, contact, agent, status="in_progress")
    draft = stage.rows.draft(user_id, contact, agent, done)
    followup = stage.rows.followup(user_id, contact, agent)
    activity = stage.rows.activity(user_id, contact, agent)
    stage.dispatch()
    view = browser.get(f"/v1/contacts/{contact}").json()
    assert contact == view["contact"]["id"]
    assert [(active, "in_progress"), (done, "completed")] == [
        (task["id"], task["status"]) for task in view["tasks"]
    ]
    assert [(draft, "Hello", "Dear Ada", "draft")] == [
        (one["id"], one["subject"], one["body"], one["status"]) for one in view["drafts"]
    ]
    assert [(followup, "scheduled")] == [(one["id"], one["status"]) for one in view["followups"]]
    assert [(activity, {"words": 80})] == [(one["id"], one["details"]) for one in view["activity"]]


def test_a_contact_of_somebody_else_is_unknown(stage: Stage) -> None:
    ada_id, _ = stage.someone()
    _, grace = stage.someone()
    contact = stage.rows.contact(ada_id)
    assert reason(grace.get(f"/v1/contacts/{contact}")) == (404, "unknown_contact")


@pytest.mark.parametrize("contact_id", [*NOT_IDS, pytest.param(str(uuid.uuid4()), id="unknown")])
def test_a_contact_that_is_none_is_unknown(stage: Stage, contact_id: str) -> None:
    _, browser = stage.someone()
    assert reason(browser.get(f"/v1/contacts/{contact_id}")) == (404, "unknown_contact")


@pytest.mark.parametrize(
    "contact_id", ["%00", "a%00b", "%0A", "%FF%FE", "%ED%A0%80", "x" * 201, "%7F", "%C2%85"]
)
def test_ids_with_control_characters_or_without_end_are_refused(stage: Stage, contact_id: str) -> None:
    _, browser = stage.someone()
    for answer in (
        browser.get(f"/v1/contacts/{contact_id}"),
        browser.post(f"/v1/contacts/{contact_id}/seen"),
        browser.post(f"/v1/tasks/{contact_id}/retry"),
        browser.post(f"/v1/drafts/{contact_id}/review", json={"status": "approved"}),
        browser.delete(f"/v1/subscriptions/{contact_id}"),
    ):
        assert reason(answer) == (400, "bad_path")


def test_seeing_a_contact_clears_its_badge_and_no_others(stage: Stage) -> None:
    user_id, browser = stage.someone()
    agent = stage.rows.agent()
    seen, unseen = (stage.rows.contact(user_id, name) for name in ("Ada", "Grace"))
    for contact in (seen, unseen):
        stage.rows.task(user_id, contact, agent, status="failed")
    stage.dispatch()
    before = browser.get("/v1/inbox").json()
    answer = browser.post(f"/v1/contacts/{seen}/seen").json()
    after = browser.get("/v1/inbox").json()
    assert (before["unseen"], after["unseen"]) == (2, 1)
    assert before["version"] < answer["version"] == after["version"]
    assert {seen: False, unseen: True} == {state["contact_id"]: state["unseen"] for state in after["states"]}
    assert answer == browser.post(f"/v1/contacts/{seen}/seen").json()


def test_seeing_anothers_contact_changes_nothing_of_theirs(stage: Stage) -> None:
    ada_id, ada = stage.someone()
    _, grace = stage.someone()
    contact = stage.rows.contact(ada_id)
    stage.rows.task(ada_id, contact, stage.rows.agent(), status="failed")
    stage.dispatch()
    before = ada.get("/v1/inbox")
    assert grace.post(f"/v1/contacts/{contact}/seen").json() == {"version": 0}
    assert ada.get("/v1/inbox", headers={"If-None-Match": before.headers["ETag"]}).status_code == 304


def test_a_task_is_assigned_and_shows_as_pending(stage: Stage) -> None:
    user_id, browser = stage.someone()
    contact, agent = stage.rows.contact(user_id), stage.rows.agent()
    asked = {"contact_id": contact, "agent_id": agent, "instructions": "Be brief.\nMention tea ☕."}
    answer = browser.post("/v1/tasks", json=asked)
    assert answer.status_code == 201
    task_id = answer.json()["task_id"]
    assert {"contactId": contact, "instructions": "Be brief.\nMention tea ☕."} == stage.rows.value(
        "select input_data from agent_tasks where id = %s and user_id = %s", task_id, user_id
    )
    stage.dispatch()
    [state] = browser.get("/v1/inbox").json()["states"]
    assert (task_id, "pending") == (state["task_id"], state["status"])


def test_nobody_assigns_what_is_not_theirs(stage: Stage) -> None:
    ada_id, _ = stage.someone()
    grace_id, grace = stage.someone()
    adas, hers = stage.rows.contact(ada_id), stage.rows.contact(grace_id)
    adas_agent, agent = stage.rows.agent(ada_id), stage.rows.agent()
    for contact_id, agent_id in ((adas, agent), (hers, adas_agent), (hers, "1"), ("1", agent)):
        answer = grace.post("/v1/tasks", json={"contact_id": contact_id, "agent_id": agent_id})
        assert reason(answer) == (404, "unknown_contact_or_agent")
    count = "select count(*) from agent_tasks where user_id in (%s, %s)"
    assert stage.rows.value(count, ada_id, grace_id) == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"contact_id": "1"},
        {"contact_id": None, "agent_id": "1"},
        {"contact_id": 1, "agent_id": "1"},
        {"contact_id": "", "agent_id": "1"},
        {"contact_id": "1\x00", "agent_id": "1"},
        {"contact_id": "1", "agent_id": "1", "instructions": "nul\x00"},
        {"contact_id": "1", "agent_id": "1", "instructions": "x" * 10_001},
        {"contact_id": "1", "agent_id": "1", "instructions": {}},
        [],
        "text",
        None,
        7,
    ],
    ids=lambda body: json.dumps(body)[:40],
)
def test_an_assignment_of_another_shape_is_refused(stage: Stage, body: object) -> None:
    _, browser = stage.someone()
    assert reason(browser.post("/v1/tasks", content=json.dumps(body))) == (422, "bad_body")


def test_a_failed_task_runs_again_and_only_a_failed_one(stage: Stage) -> None:
    ada_id, ada = stage.someone()
    _, grace = stage.someone()
    task = stage.rows.task(ada_id, stage.rows.contact(ada_id), stage.rows.agent(), status="failed")
    retry = f"/v1/tasks/{task}/retry"
    assert reason(grace.post(retry)) == (404, "no_failed_task")
    for _ in range(2):  # the second time as if the first answer had been lost
        assert {"task_id": task, "status": "pending"} == ada.post(retry).json()
    for none in (*NOT_IDS, str(uuid.uuid4())):
        assert reason(ada.post(f"/v1/tasks/{none}/retry")) == (404, "no_failed_task")


def test_a_draft_is_approved_or_rejected_by_its_owner(stage: Stage) -> None:
    ada_id, ada = stage.someone()
    _, grace = stage.someone()
    draft = stage.rows.draft(ada_id, stage.rows.contact(ada_id), stage.rows.agent())
    review = f"/v1/drafts/{draft}/review"
    assert reason(grace.post(review, json={"status": "approved"})) == (404, "unknown_draft")
    assert {"id": draft, "status": "approved"} == ada.post(review, json={"status": "approved"}).json()
    assert {"id": draft, "status": "rejected"} == ada.post(review, json={"status": "rejected"}).json()
    for none in (*NOT_IDS, str(uuid.uuid4())):
        answer = ada.post(f"/v1/drafts/{none}/review", json={"status": "approved"})
        assert reason(answer) == (404, "unknown_draft")


def test_a_draft_that_was_sent_is_past_review(stage: Stage) -> None:
    user_id, browser = stage.someone()
    draft = stage.rows.draft(user_id, stage.rows.contact(user_id), stage.rows.agent())
    stage.rows.execute("update agent_outreach_drafts set status = 'sent' where id = %s", draft)
    answer = browser.post(f"/v1/drafts/{draft}/review", json={"status": "rejected"})
    assert reason(answer) == (404, "unknown_draft")


@pytest.mark.parametrize("status", ["sent", "draft", "", "APPROVED", None, True, ["approved"]])
def test_a_verdict_is_one_of_two_words(stage: Stage, status: object) -> None:
    _, browser = stage.someone()
    answer = browser.post(f"/v1/drafts/{uuid.uuid4()}/review", json={"status": status})
    assert reason(answer) == (422, "bad_body")


def test_an_anonymous_user_has_everything_of_their_own_and_nothing_else(stage: Stage) -> None:
    ada_id, _ = stage.someone()
    anonymous_id, browser = stage.someone(is_anonymous=True, email="")
    contact, agent = stage.rows.contact(anonymous_id), stage.rows.agent()
    assert browser.put("/v1/subscriptions", json=stage.subscription()).status_code == 200
    assert browser.post("/v1/tasks", json={"contact_id": contact, "agent_id": agent}).status_code == 201
    assert browser.patch("/v1/preferences", json={"digest": False}).json()["digest"] is False
    assert reason(browser.get(f"/v1/contacts/{stage.rows.contact(ada_id)}")) == (404, "unknown_contact")


def test_a_token_outlives_its_user_without_harm(stage: Stage) -> None:
    user_id, browser = stage.someone()
    stage.rows.execute("delete from auth.users where id = %s", user_id)
    assert reason(browser.put("/v1/subscriptions", json=stage.subscription())) == (401, "unknown_user")
    assert reason(browser.patch("/v1/preferences", json={})) == (401, "unknown_user")
    assert browser.get("/v1/inbox").json()["states"] == []
    assert browser.post("/v1/contacts/1/seen").status_code < 500
