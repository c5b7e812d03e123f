"""What could not be delivered, for a person: listed, and sent again.

In: the JSON of `taskbell_dead_letters`. Out: lines, or the dead letters made due again. Touches the database.
A dead letter is named by a letter and its id: `e12` is an event, `d7` a delivery.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from taskbell_local.database import call
from taskbell_local.errors import StackError

if TYPE_CHECKING:
    import psycopg

Letters = dict[str, Any]
SHOWN = 20
ALL = 10_000
_NAME = re.compile(r"([ed])([1-9][0-9]{0,17})")


def find(connection: "psycopg.Connection", limit: int = SHOWN) -> Letters:
    """Return the newest dead letters, at most `limit` of each kind; raises StackError."""
    found: Letters = call(connection, "taskbell_dead_letters", limit)
    return found


def lines(letters: Letters) -> list[str]:
    """Return one line for each, and how to send them again; nothing where nothing is dead."""
    listed = [*map(_event, letters["events"]), *map(_delivery, letters["deliveries"])]
    if not listed:
        return []
    first = listed[0].split(":")[0].rsplit(" ", 1)[1]
    return [*listed, f"Send all of them again: taskbell sweep --again. One of them: --again {first}."]


def send_again(connection: "psycopg.Connection", names: Sequence[str]) -> tuple[int, int]:
    """Make dead letters due, all of them where none is named; returns how many events and deliveries.

    Raises StackError for a name that is none. What can no longer be wanted is not sent, and is dead no more:
    its browser is gone, or newer news stands in its place.
    """
    chosen = [_parsed(name) for name in names] or _every(find(connection, ALL))
    ids = {kind: [number for one, number in chosen if one == kind] for kind in "ed"}
    counts = call(connection, "taskbell_resend", ids["e"], ids["d"])
    return counts["events"], counts["deliveries"]


def _every(letters: Letters) -> list[tuple[str, int]]:
    events = [("e", int(one["id"])) for one in letters["events"]]
    return events + [("d", int(one["id"])) for one in letters["deliveries"]]


def _parsed(name: str) -> tuple[str, int]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise StackError(
            "bad_dead_letter", f"{name} names no dead letter: `taskbell status` lists them as e12 or d7."
        )
    return match[1], int(match[2])


def _event(one: Letters) -> str:
    return f"dead letter e{one['id']}: {one['operation']} of task {one['task_id']}: {one['reason']}"


def _delivery(one: Letters) -> str:
    code = f" with {one['status_code']}" if one["status_code"] else ""
    why = f", {one['reason']}" if one["reason"] not in (None, f"http_{one['status_code']}") else ""
    tries = f" after {one['attempts']} tries" if one["attempts"] > 1 else ""
    return f"dead letter d{one['id']}: {one['kind']} to {one['origin']}: {one['state']}{code}{why}{tries}"
