"""What is to be reached on two cores, and whether it was.

In: the sections of a report. Out: a verdict for each aim. Touches: nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict


@dataclass(frozen=True)
class Aim:
    """`path` leads to the figure in its section, by names and dots; `at_least` turns the limit round."""

    what: str
    section: str
    path: str
    limit: float
    unit: str = ""
    at_least: bool = False


class Verdict(TypedDict):
    """`figure` and `met` are None where the figure was not measured."""

    what: str
    section: str
    limit: float
    unit: str
    at_least: bool
    figure: float | None
    met: bool | None


AIMS = (
    Aim("1,000 pushes 30 ms away, against the floor", "sending", "thousand.of_the_floor", 1.4, "x"),
    Aim(
        "... pywebpush async, one session, against ours", "sending", "thousand.pywebpush_async", 2, "x", True
    ),
    Aim("... node web-push against ours", "sending", "thousand.node", 6, "x", True),
    Aim("... pywebpush in a loop against ours", "sending", "thousand.pywebpush_loop", 50, "x", True),
    Aim("CPU of one push, whole path", "cpu_per_push", "whole_path_us", 250, "µs"),
    Aim("encryption against raw P-256", "cpu_per_push", "encryption_of_raw_p256", 0.35, "", True),
    Aim("burst to 5,000 people: last push accepted", "burst", "last_push_seconds", 3, "s"),
    Aim("one task, commit to push accepted: p50", "single_task", "p50_ms", 15, "ms"),
    Aim("... p95", "single_task", "p95_ms", 40, "ms"),
    Aim("1, 2 and 4 dispatchers: share of lock waits", "scaling", "highest_lock_wait", 0.05),
    Aim("... events taken by two", "scaling", "taken_twice", 0),
    Aim(
        "10 million finished events: slowest step against 10,000", "growth", "slowest_against_first", 1.5, "x"
    ),
    Aim("nothing due: HTTP calls that the clock makes", "idle", "http_calls", 0),
    Aim("1,000 pages polling, p95", "pages", "polling.p95_ms", 50, "ms"),
    Aim("... with 500 more held, p95", "pages", "polling_beside_held.p95_ms", 50, "ms"),
    Aim("... requests held at once", "pages", "held.pages", 500, "", True),
    Aim(
        "first webhook, Postgres gateway, against an empty function", "cold_start", "postgres.ratio", 2.5, "x"
    ),
    Aim("first webhook, Supabase gateway, against an empty one", "cold_start", "supabase.ratio", 2.5, "x"),
    Aim("memory of a serving instance", "memory", "highest_mb", 130, "MB"),
    Aim("... growth over 10,000 webhooks", "memory", "growth_mb", 5, "MB"),
)


def verdicts(sections: Mapping[str, Mapping[str, Any]], *, quick: bool) -> list[Verdict]:
    """Return one verdict for each aim of a section that is in the report; a quick run is not judged."""
    asked = [aim for aim in AIMS if aim.section in sections]
    return [_verdict(aim, {} if quick else sections[aim.section].get("figures", {})) for aim in asked]


def _verdict(aim: Aim, figures: Mapping[str, Any]) -> Verdict:
    found: Any = figures
    for name in aim.path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    figure = found if isinstance(found, int | float) else None
    met = None if figure is None else (figure >= aim.limit if aim.at_least else figure <= aim.limit)
    return {
        "what": aim.what,
        "section": aim.section,
        "limit": aim.limit,
        "unit": aim.unit,
        "at_least": aim.at_least,
        "figure": figure,
        "met": met,
    }
