"""Facts of a stack that is well, with one of them another, and what the doctor says to them."""

from dataclasses import replace

from taskbell_local.doctor.checks import CHECKS
from taskbell_local.doctor.facts import Answer, Facts
from taskbell_local.doctor.verdict import Bad, Finding, judge

PAGE = "https://bell.example.dev"


def complaints(facts: Facts) -> list[tuple[Finding, Bad]]:
    """Return the findings that failed, with what they say."""
    return [(one, one.verdict) for one in judge(CHECKS, facts) if isinstance(one.verdict, Bad)]


def failed(facts: Facts) -> dict[str, str]:
    """Return what the failed checks say."""
    return {one.check.slug: verdict.found for one, verdict in complaints(facts)}


def answering(facts: Facts, **answers: Answer) -> Facts:
    return replace(facts, web=replace(facts.web, answers={**facts.web.answers, **answers}))


def telling(facts: Facts, **answers: object) -> Facts:
    """Let the database tell something else."""
    return replace(facts, database=replace(facts.database, answers={**facts.database.answers, **answers}))


def deployed(facts: Facts, **settings: object) -> Facts:
    """Move the facts to a public address."""
    known = {
        "public_url": PAGE,
        "vapid_subject": "mailto:me@bell.dev",
        "supabase_publishable_key": "sb_publishable_x",
    }
    moved = replace(facts.settings.settings, **{**known, **settings})  # type: ignore[arg-type]
    environ = {**facts.settings.environ, "PUBLIC_URL": PAGE}
    return replace(facts, settings=replace(facts.settings, settings=moved, environ=environ))
