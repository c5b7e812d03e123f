"""What a check says of facts that no stack of ours can be brought to: other hosts, other answers.

The facts are those of a stack that is well, with one of them another.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from taskbell.model import Outcome, OutcomeKind
from taskbell_local.doctor.facts import Answer, Facts, PushFacts
from tests.functions.doctor.altered import PAGE, answering, deployed, failed, telling


def test_the_facts_to_start_from_are_well(healthy: Facts) -> None:
    assert failed(healthy) == {}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"cache-control": "public, max-age=31536000, immutable"}, "run an old worker"),
        ({"cache-control": "max-age=86400"}, "run an old worker"),
        ({"cache-control": ""}, "run an old worker"),
        ({"content-type": "text/html; charset=utf-8"}, "browsers refuse such a worker"),
        ({"content-type": ""}, "of no type"),
    ],
)
def test_a_worker_that_browsers_refuse_or_keep_too_long_is_named(
    healthy: Facts, headers: Mapping[str, str], said: str
) -> None:
    worker = healthy.web["worker"]
    served = replace(worker, headers={**worker.headers, **headers})
    found = failed(answering(healthy, worker=served))
    assert found.keys() == {"worker"}
    assert said in found["worker"]


@pytest.mark.parametrize("said", ["no-cache", "no-store", "max-age=0, must-revalidate", "public, max-age=60"])
def test_a_worker_that_caches_ask_for_again_is_well(healthy: Facts, said: str) -> None:
    worker = healthy.web["worker"]
    served = replace(worker, headers={**worker.headers, "cache-control": said})
    assert failed(answering(healthy, worker=served)) == {}


@pytest.mark.parametrize(
    ("name", "answer", "check"),
    [
        ("page", Answer(0, {}, "", "bad certificate"), "page"),
        ("page", Answer(200, {"content-type": "text/html"}, "<h1>Welcome to nginx</h1>"), "page"),
        ("manifest", Answer(404, {}, ""), "manifest"),
        ("manifest", Answer(200, {"content-type": "application/json"}, '{"icons": []}'), "manifest"),
        ("jwks", Answer(200, {}, '{"keys": []}'), "key_set"),
        ("jwks", Answer(200, {}, "<html>"), "key_set"),
        ("config", Answer(404, {}, "Not found"), "api"),
        ("health", Answer(503, {}, '{"ok": false}'), "api"),
        ("health", Answer(404, {"content-type": "text/html"}, "<html>"), "api"),
        ("webhook_stranger", Answer(200, {}, "{}"), "webhook_refuses"),
        ("webhook_stranger", Answer(404, {}, ""), "webhook_refuses"),
        ("webhook_secret_0", Answer(503, {}, ""), "webhook_accepts"),
        ("sweep_stranger", Answer(200, {}, "{}"), "sweep_refuses"),
    ],
)
def test_an_answer_that_is_not_ours_is_named(healthy: Facts, name: str, answer: Answer, check: str) -> None:
    assert failed(answering(healthy, **{name: answer})).keys() == {check}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_sweep_may_be_hidden_by_its_platform(healthy: Facts, status: int) -> None:
    assert failed(answering(healthy, sweep_stranger=Answer(status, {}, ""))) == {}


@pytest.mark.parametrize(
    ("database", "functions", "said"),
    [
        (240, -50, None),
        (600, 0, "the database's clock is 10 minutes off"),
        (-900, 20, "the database's clock is 15 minutes off"),
        (0, 3600, "the functions' clock is 60 minutes off"),
        (250, -100, "the functions' clock is 6 minutes off"),
        (600, 590, "this machine's clock is 10 minutes off"),
        (None, -400, "this machine's clock is 7 minutes off"),
        (None, None, None),
    ],
)
def test_of_three_clocks_the_one_that_is_off_is_named(
    healthy: Facts, database: int | None, functions: int | None, said: str | None
) -> None:
    facts = telling(healthy, now=None if database is None else healthy.database.asked_at + database)
    health, body = healthy.web["health"], json.loads(healthy.web["health"].body)
    now = datetime.fromtimestamp(health.came_at + (functions or 0), UTC).isoformat()
    told = json.dumps({**body, "now": None if functions is None else now})
    found = failed(answering(facts, health=replace(health, body=told)))
    if said is None:
        assert found == {}
    else:
        assert found.keys() == {"clocks"}, "what follows from it is skipped"
        assert found["clocks"].startswith(said)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "never sent"),
        ({"status": None, "timed_out": True, "content": None}, "no answer within 5 s"),
        ({"status": None, "timed_out": False, "content": None}, "nobody answers"),
        (
            {"status": 401, "timed_out": False, "content": '{"error": {"reason": "stale_signature"}}'},
            "clock",
        ),
        ({"status": 401, "timed_out": False, "content": "{}"}, "signature was refused"),
        ({"status": 403, "timed_out": False, "content": ""}, "Google Cloud refused it"),
        ({"status": 500, "timed_out": False, "content": ""}, "HTTP 500"),
    ],
)
def test_what_became_of_the_wake_up_is_told(healthy: Facts, answer: dict[str, object], said: str) -> None:
    found = failed(telling(healthy, wake_up=answer))
    assert found.keys() == {"wake_up"}
    assert said in found["wake_up"]


def test_without_pg_net_the_extension_is_asked_for(healthy: Facts) -> None:
    assert failed(telling(healthy, pg_net=False)).keys() == {"pg_net"}


def test_a_hosted_database_cannot_reach_this_machine(healthy: Facts) -> None:
    hosted = replace(healthy.settings.settings, database_url="postgresql://x:x@db.abc.supabase.co/postgres")
    facts = replace(healthy, settings=replace(healthy.settings, settings=hosted))
    assert "loopback" in failed(facts)["vault_address"]


def test_what_is_good_enough_at_home_is_not_in_public(healthy: Facts) -> None:
    assert failed(deployed(healthy)).keys() == {"policy"}, "the page moved away from where tokens come from"
    found = failed(
        deployed(
            healthy,
            supabase_url=PAGE,
            vapid_subject="mailto:developer@example.org",
            supabase_publishable_key=None,
        )
    )
    assert found.keys() == {"vapid_contact", "supabase_publishable_key"}


@pytest.mark.parametrize(
    ("policy", "fits"),
    [
        ("connect-src 'self' https://*.supabase.co wss://*.supabase.co", True),
        ("connect-src 'self' https://abc.supabase.co", True),
        ("default-src 'self' https:", True),
        ("script-src 'self'", True),
        ("connect-src 'self'", False),
        ("connect-src 'self' http://*.supabase.co", False),
        ("connect-src https://*.supabase.co", False),
        ("default-src 'self'", False),
    ],
)
def test_a_policy_must_let_the_page_reach_itself_and_supabase(
    healthy: Facts, policy: str, *, fits: bool
) -> None:
    moved = deployed(healthy, supabase_url="https://abc.supabase.co")
    page = healthy.web["page"]
    served = replace(page, headers={**page.headers, "content-security-policy": policy})
    assert failed(answering(moved, page=served)).keys() == (set() if fits else {"policy"})


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome(OutcomeKind.GONE, status_code=410), "is gone"),
        (Outcome(OutcomeKind.MISCONFIGURED, status_code=403), "refused us"),
        (Outcome(OutcomeKind.RETRY, status_code=503), "retry"),
    ],
)
def test_what_a_push_service_said_to_the_test_is_told(healthy: Facts, outcome: Outcome, said: str) -> None:
    facts = replace(healthy, push=PushFacts(asked=True, outcome=outcome, to="An old phone"))
    assert said in failed(facts)["test_push"]


def test_deliveries_that_were_refused_are_dead_and_those_too_late_are_not(healthy: Facts) -> None:
    late = {"state": "expired", "reason": "http_503", "status_code": 503, "number": 2}
    assert failed(telling(healthy, dead_deliveries=[late])) == {}
    refused = {"state": "rejected", "reason": "http_413", "status_code": 413, "number": 1}
    assert "http_413" in failed(telling(healthy, dead_deliveries=[late, refused]))["dead_letters"]


@pytest.mark.parametrize(("refusal", "said"), [("PGRST202", "does not know"), ("401", "refused (401)")])
def test_what_the_data_api_has_against_us_is_told(healthy: Facts, refusal: str, said: str) -> None:
    facts = replace(healthy, web=replace(healthy.web, data_api=refusal))
    assert said in failed(facts)["data_api"]


def test_a_function_that_was_dropped_is_told_with_the_way_back(healthy: Facts) -> None:
    assert failed(telling(healthy, status=None)) == {
        "backlog": "part of Taskbell was dropped from the database",
        "push_services": "part of Taskbell was dropped from the database",
    }
