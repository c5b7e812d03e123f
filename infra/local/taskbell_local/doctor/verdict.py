"""What a check can say, and the order in which checks are judged.

In: checks and facts. Out: findings. Touches nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from taskbell_local.doctor.facts import Facts, NotAsked


@dataclass(frozen=True)
class Good:
    """All is well; `found` says what was seen, with a remark where something is worth knowing."""

    found: str


@dataclass(frozen=True)
class Bad:
    """Something is wrong: what, and what exactly mends it."""

    found: str
    remedy: str


@dataclass(frozen=True)
class Skipped:
    """Not judged; `found` says why."""

    found: str


Verdict = Good | Bad | Skipped


@dataclass(frozen=True)
class Check:
    """One question. `needs` are slugs of earlier checks without which the answer would mean nothing."""

    slug: str
    section: str
    title: str
    look: Callable[[Facts], Verdict]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A check and its verdict."""

    check: Check
    verdict: Verdict

    @property
    def outcome(self) -> Literal["ok", "failed", "skipped"]:
        """The verdict in one word."""
        match self.verdict:
            case Good():
                return "ok"
            case Bad():
                return "failed"
            case Skipped():
                return "skipped"


def judge(checks: Sequence[Check], facts: Facts) -> list[Finding]:
    """Return a finding for each check, in order; what depends on a check that is not good is skipped."""
    findings: dict[str, Finding] = {}
    for check in checks:
        missing = [findings[slug] for slug in check.needs if not isinstance(findings[slug].verdict, Good)]
        findings[check.slug] = Finding(check, _because(missing) if missing else _look(check, facts))
    return list(findings.values())


def _because(missing: Sequence[Finding]) -> Skipped:
    return Skipped("needs " + ", ".join(finding.check.title for finding in missing))


def _look(check: Check, facts: Facts) -> Verdict:
    try:
        return check.look(facts)
    except NotAsked as refusal:
        if refusal.sqlstate is None:
            return Bad(
                "part of Taskbell was dropped from the database",
                "Remove the rest with infra/supabase/uninstall.sql, and run `taskbell migrate --env FILE`.",
            )
        return Bad(
            f"the database does not tell ({refusal.sqlstate})",
            "Use the DATABASE_URL of the role postgres: Supabase dashboard, Connect, Session pooler.",
        )
