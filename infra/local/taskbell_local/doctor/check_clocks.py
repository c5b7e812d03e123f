"""Do the clocks agree, so that signatures count as fresh? Pure."""

import json
from collections.abc import Iterator
from datetime import datetime

from taskbell.intake.verify import TOLERANCE_SECONDS
from taskbell_local.doctor.facts import Answer, Facts
from taskbell_local.doctor.verdict import Bad, Check, Good, Verdict

SECTION = "Functions"
RESTART = (
    "Restart the project (dashboard, Project Settings, General); elsewhere, mend the database server's clock."
)


def _clocks(facts: Facts) -> Verdict:
    """Compare the database's clock and the functions' with this machine's, and with each other."""
    database = functions = None
    if facts.database["now"] is not None:
        database = float(facts.database["now"]) - facts.database.asked_at
    if (told := _told(facts.web["health"])) is not None:
        functions = told - facts.web["health"].came_at
    known = [seconds for seconds in (database, functions) if seconds is not None]
    if not known:
        return Good("nobody told the time")
    furthest, apart = max(map(abs, known)), max(known) - min(known)
    if max(furthest, apart) <= TOLERANCE_SECONDS:
        return Good("no more than 5 minutes apart")
    if apart <= TOLERANCE_SECONDS:
        return Bad(
            f"this machine's clock is {_minutes(furthest)} off, and what it signs is refused",
            "Set this machine's clock: `timedatectl set-ntp true`.",
        )
    if database is not None and abs(database) > TOLERANCE_SECONDS:
        return Bad(f"the database's clock is {_minutes(database)} off, and what it signs is refused", RESTART)
    return Bad(
        f"the functions' clock is {_minutes(apart)} off, and they refuse what others sign",
        "Mend the clock of the machine that runs the functions; on Google Cloud, deploy them again.",
    )


def _told(health: Answer) -> float | None:
    try:
        return datetime.fromisoformat(json.loads(health.body)["now"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def _minutes(seconds: float) -> str:
    return f"{abs(seconds) / 60:.0f} minutes"


def checks() -> Iterator[Check]:
    """Yield this section's checks in order."""
    yield Check("clocks", SECTION, "clocks", _clocks)
