"""`taskbell simulate`: changes tasks as an agent would, and tells what became of each, delivery by delivery.

In: settings, what is wanted. Out: lines. It writes rows of the application's tables, and on the embedded
stack the demo's user, agents and a contact where they are missing.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from taskbell_local import simulated_tasks, trace
from taskbell_local.database import call, connect, settings_of

if TYPE_CHECKING:
    import psycopg

WAIT_SECONDS = 30.0
POLL_SECONDS = 0.05
SHOWN_TASKS = 20
HELD_BACK = (
    "What is held back rings when the quiet hours end or, after 3 notifications in a minute, all at once a"
    " little later. The settings on the page change both."
)


@dataclass(frozen=True)
class Wanted:
    """What to simulate; `contact` is a name or an id, None is each in turn; `draft` goes with "completed"."""

    contact: str | None
    agent: str
    status: str
    draft: bool
    count: int
    users: int


def run(env_file: Path, wanted: Wanted) -> int:
    """Print what became of the tasks; returns 1 if something is still open after 10 s, else 0."""
    settings = settings_of(env_file)
    with connect(settings) as connection:
        if "DEMO_USER_ID" in settings:
            simulated_tasks.ensure_owners(connection, wanted.users)
        owners = simulated_tasks.find_owners(connection, wanted.contact, wanted.users)
        agent = simulated_tasks.find_agent(connection, wanted.agent, owners[0].user_id)
        tasks = {}
        for number in range(wanted.count):
            owner = owners[number % len(owners)]
            task = simulated_tasks.change(connection, owner, agent, wanted.status, draft=wanted.draft)
            tasks[task] = f"{owner.contact_name} · {agent.name} · {wanted.status}"
        traces = _await(connection, list(tasks))
    for task, title in list(tasks.items())[:SHOWN_TASKS]:
        print(title)
        for line in trace.lines(traces[task]):
            print(f"  {line}")
    if len(tasks) > 1:
        print(trace.summary(list(traces.values())))
    for line in _remarks(list(traces.values()), wanted.status, settings.get("PUBLIC_URL", "the page")):
        print(line)
    return 0 if all(trace.is_settled(found) for found in traces.values()) else 1


def _remarks(traces: list[trace.Trace], status: str, page: str) -> list[str]:
    """Return why nothing rang, and what to do next."""
    if not all(trace.is_settled(found) for found in traces):
        return [f"Not all is done after {WAIT_SECONDS:.0f} s: `taskbell status` tells what waits."]
    if any(trace.is_held_back(found) for found in traces):
        return [HELD_BACK]
    if any(found["deliveries"] for found in traces):
        return []
    if any(found["notifications"] for found in traces):
        return [
            f"No browser is subscribed yet: open {page}, click “Notify this browser”, and simulate again."
        ]
    if status in {"pending", "in_progress"}:
        return ["Nothing rings for that, but the page shows it: completed and failed tasks ring."]
    return ["Nothing rings: the settings on the page say so, or the contact has newer news."]


def _await(connection: "psycopg.Connection", tasks: list[str]) -> dict[str, trace.Trace]:
    """Ask until everything is settled or 10 s have passed."""
    traces: dict[str, trace.Trace] = {}
    deadline = time.monotonic() + WAIT_SECONDS
    waiting = tasks
    while waiting:
        for task in waiting:
            traces[task] = call(connection, "taskbell_trace", task)
        waiting = [task for task in waiting if not trace.is_settled(traces[task])]
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    return traces
