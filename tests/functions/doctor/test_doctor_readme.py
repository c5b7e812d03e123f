"""The README's table of troubles is what `taskbell doctor` says and advises: no row of it is made up."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from taskbell.model import Outcome, OutcomeKind
from taskbell_local import keys, places
from taskbell_local.doctor.facts import Answer, DatabaseFacts, Facts, PushFacts
from tests.functions.doctor.altered import answering, complaints, deployed, failed, telling

Alter = Callable[[Facts], Facts]

NO_ANSWER = Answer(0, {}, "", "no answer")
TABLE = "public.agent_tasks"
CAPTURE = {"table": TABLE, "trigger": "taskbell_capture", "exists": True, "fires": True}


def served(name: str, **headers: str) -> Alter:
    def alter(facts: Facts) -> Facts:
        answer = facts.web[name]
        told = {header.replace("_", "-"): value for header, value in headers.items()}
        return answering(facts, **{name: replace(answer, headers={**answer.headers, **told})})

    return alter


def vault(**changed: str | None) -> Alter:
    def alter(facts: Facts) -> Facts:
        kept = {**facts.database["secrets"], **{f"taskbell_{name}": value for name, value in changed.items()}}
        return telling(facts, secrets={name: value for name, value in kept.items() if value is not None})

    return alter


def tells(**answers: object) -> Alter:
    return lambda facts: telling(facts, **answers)


def answers(**given: Answer) -> Alter:
    return lambda facts: answering(facts, **given)


def unreached(refusal: str) -> Alter:
    return lambda facts: replace(facts, database=DatabaseFacts(refusal))


def backlog(facts: Facts) -> Facts:
    status = facts.database["status"]
    return telling(facts, status={**status, "events": {"due": 3, "oldest_due_seconds": 600, "dead": 0}})


def blocked(facts: Facts) -> Facts:
    service = {"origin": "https://web.push.apple.com", "reason": "http_403"}
    return telling(facts, status={**facts.database["status"], "blocked_push_services": [service]})


# By the title of a check, in the order in which it is judged: what brings it to say what the table quotes.
TROUBLES: dict[str, list[Alter]] = {
    "VAPID subject for Apple": [lambda facts: deployed(facts, vapid_subject="mailto:me@example.com")],
    "SUPABASE_PUBLISHABLE_KEY": [lambda facts: deployed(facts, supabase_publishable_key=None)],
    "database": [unreached("bad_password"), unreached("unknown_host"), unreached("no_answer")],
    "migrations": [tells(migrations=["20261122000100"]), tells(migrations=None)],
    "row level security": [tells(open_tables=["public.contacts"])],
    "triggers": [
        tells(triggers=[{**CAPTURE, "exists": False}]),
        tells(triggers=[{**CAPTURE, "fires": False}]),
    ],
    "publication": [tells(unpublished=[TABLE])],
    "clocks": [lambda facts: telling(facts, now=facts.database.asked_at + 600)],
    "api": [answers(config=NO_ANSWER), answers(health=Answer(503, {}, '{"ok": false}'))],
    "api's VAPID key": [
        answers(config=Answer(200, {}, f'{{"vapid_public_key": "{keys.make().vapid_public_key}"}}'))
    ],
    "Data API": [lambda facts: replace(facts, web=replace(facts.web, data_api="401"))],
    "key set": [answers(jwks=Answer(200, {}, '{"keys": []}'))],
    "webhook refuses strangers": [answers(webhook_stranger=Answer(404, {}, ""))],
    "webhook accepts us": [answers(webhook_secret_0=Answer(401, {}, ""))],
    "signing secret in Vault": [vault(webhook_secret=None), vault(webhook_secret="whsec_other")],
    "webhook's address in Vault": [vault(webhook_url=None), vault(webhook_url="https://…/webhook")],
    "pg_net": [tells(pg_net=False)],
    "wake-up": [
        tells(wake_up={}),
        tells(wake_up={"status": None, "timed_out": True, "content": None}),
        tells(wake_up={"status": None, "timed_out": False, "content": None}),
    ],
    "clock": [tells(clock=None)],
    "clock is alive": [tells(last_run={"seconds_ago": 3600, "status": "succeeded"})],
    "page": [answers(page=Answer(0, {}, "", "bad certificate")), answers(page=NO_ANSWER)],
    "worker": [served("worker", cache_control="max-age=31536000")],
    "content security policy": [deployed],
    "backlog": [backlog],
    "push services": [blocked],
    "subscriptions": [tells(subscription_keys={keys.make().vapid_public_key: 2})],
    "dead letters": [tells(dead_events=[{"reason": "describe_failed:42703", "number": 1}])],
    "test push": [
        lambda facts: replace(facts, push=PushFacts(asked=True)),
        lambda facts: replace(
            facts,
            push=PushFacts(asked=True, outcome=Outcome(OutcomeKind.GONE, status_code=410), to="A phone"),
        ),
    ],
}


def rows() -> list[tuple[str, str]]:
    """Return the table's rows: what the doctor says, what to do."""
    section = (places.ROOT / "README.md").read_text().split("\n## When something is wrong\n")[1]
    table = section.partition("\n## ")[0]
    found = re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.MULTILINE)
    return [(said, advised) for said, advised in found if said != "it says"]


def title_of(said: str) -> str:
    plain = said.replace("`", "")
    return max((title for title in TROUBLES if plain.startswith(title)), key=len, default="")


@pytest.mark.parametrize("title", TROUBLES)
def test_each_trouble_is_named_by_one_check(healthy: Facts, title: str) -> None:
    for alter in TROUBLES[title]:
        found = complaints(alter(healthy))
        assert found[0][0].check.title == title, [one.check.title for one, _ in found]


@pytest.mark.parametrize(("said", "advised"), rows())
def test_what_the_table_quotes_is_what_the_doctor_says_and_advises(
    healthy: Facts, said: str, advised: str
) -> None:
    title = title_of(said)
    assert title, f"no check says: {said}"
    verdicts = [complaints(alter(healthy))[0][1] for alter in TROUBLES[title]]
    found = " ".join(verdict.found for verdict in verdicts)
    remedies = " ".join(verdict.remedy for verdict in verdicts)
    quoted = said.replace("`", "").removeprefix(title).strip(": ")
    for part in re.split(r"…|\bN\b", quoted):
        assert any(words.strip(" :") in found for words in part.split(" or ")), found
    for command in re.findall(r"`([^`]+)`", advised):
        pattern = ".*".join(re.escape(part) for part in command.split("…"))
        assert re.search(pattern, remedies), f"{command!r} is not in: {remedies}"


def test_the_table_is_there_and_the_healthy_stack_has_no_trouble(healthy: Facts) -> None:
    assert len(rows()) >= 10
    assert failed(healthy) == {}
