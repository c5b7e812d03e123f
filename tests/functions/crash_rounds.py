"""One round: tasks end, the function dies at one point on their way, the sweep does the rest.

In: a stage and a point. Out: what became of the round's events. The writer commits all of them in one
transaction, so that one claim takes them and the points come in their order.
"""

from __future__ import annotations

import itertools
import json
import random
import time

from psycopg.types.json import Jsonb

from tests.functions.bell import signed
from tests.functions.crash_account import Repeat, Tally, newest_event, tally
from tests.functions.crash_stage import BROWSERS_EACH, Stage
from tests.functions.crash_trap import Point

SPRING_SECONDS = 30.0
ANY_MOMENT_SECONDS = 0.12  # about what a quiet machine takes from the commit to the settled deliveries


def play(
    stage: Stage, point: Point, number: int, chance: random.Random, *, whole: bool
) -> tuple[Tally, list[Repeat]]:
    """Play a round; `whole` kills not the worker alone but all of the function."""
    kill = stage.function.kill if whole else stage.function.kill_worker
    if point in (Point.CONNECT, Point.PUSH_CONNECT):
        stage.function.kill_worker()  # whoever comes next has no connections yet
    before, mark = newest_event(stage), len(stage.push_service.received)
    deaths = len(stage.function.deaths)
    stage.push_service.expect(len(stage.people) * BROWSERS_EACH)
    stage.trap.arm(point, kill)
    tasks = end_tasks(stage, number, heard=not point.name.startswith("RECORD"))
    if point.name.startswith("RECORD"):
        stage.function.post(*_dashboard_webhook(stage, tasks[0]))
    if point is Point.ANY:
        time.sleep(chance.uniform(0, ANY_MOMENT_SECONDS))
        stage.trap.reached(point)
    assert stage.trap.sprung.wait(SPRING_SECONDS), f"nobody came to the point {point.value!r}"
    stage.restart_function()
    stage.let_leases_end()
    stage.sweep_until_done()
    counted, repeats = tally(stage, before, stage.push_service.received[mark:])
    counted.kills = len(stage.function.deaths) - deaths
    return counted, repeats


def end_tasks(stage: Stage, number: int, *, heard: bool = True) -> list[str]:
    """One task of each person ends, in one transaction; unless `heard`, its wake-up is lost."""
    statuses = itertools.cycle(["completed", "failed"])
    tasks = []
    with stage.connect() as connection:
        for user, contacts in stage.people.items():
            [(task,)] = connection.execute(
                "insert into public.agent_tasks (user_id, agent_id, status, input_data)"
                " values (%s, %s, %s, %s) returning id::text",
                [
                    user,
                    stage.agent,
                    next(statuses),
                    Jsonb({"contactId": contacts[number % len(contacts)]}),
                ],
            ).fetchall()
            tasks.append(task)
        if not heard:
            connection.execute("delete from net.http_request_queue")
    return tasks


def _dashboard_webhook(stage: Stage, task: str) -> tuple[bytes, dict[str, str]]:
    """What a webhook made in Supabase's dashboard would send about a new task."""
    [(record,)] = stage.sql("select to_jsonb(t) from public.agent_tasks t where id = %s", task)
    change = {
        "type": "INSERT",
        "schema": "public",
        "table": "agent_tasks",
        "record": record,
        "old_record": None,
    }
    body = json.dumps(change).encode()
    return body, signed(body)
