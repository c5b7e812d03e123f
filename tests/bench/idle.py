"""Nothing is due: what the clock and the polling pages cost then.

In: nothing. Out: how often the clock looked and how many HTTP calls it made, what a look and a poll take, and
which rows a poll that finds nothing new reads. Touches what a stage does, and one more loopback port. Run
alone: `python -m tests.bench.idle`.

As a check of the check, in the end something is due, and then the clock does call.
"""

import json
import re
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import psycopg

from taskbell.gateway.postgres import PostgresGateway
from taskbell.model import User
from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage, wait_for
from tests.bench.section import Figures, Progress, alone

TITLE = "idle: nothing is due"
PEOPLE = 2000
SECONDS, QUICK_SECONDS = 48.0, 0.0  # three looks of a clock that strikes every 15 s
QUESTIONS, QUICK_QUESTIONS = 1000, 50

_LOOKS = """
select count(*) from cron.job_run_details d join cron.job j using (jobid)
where j.jobname = 'taskbell' and d.status = 'succeeded'
"""


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return the counts and the times."""
    questions = QUICK_QUESTIONS if quick else QUESTIONS
    with stage() as here, _counting() as (url, calls):
        progress(0.02, "starting")
        people = add_people(here, PEOPLE)
        here.sql("insert into taskbell.inboxes (user_id, version) select id, 1 from auth.users")
        here.sql("vacuum analyze", superuser=True)
        here.relay(url)
        here.clock()
        wait_for(lambda: here.value(_LOOKS) > 0, 30)
        ends_at = time.monotonic() + (QUICK_SECONDS if quick else SECONDS)
        while time.monotonic() < ends_at:
            progress(0.1 + 0.6 * (1 - (ends_at - time.monotonic()) / SECONDS), "the clock has nothing to do")
            time.sleep(1)
        looks, idle_calls = here.value(_LOOKS), len(calls)
        progress(0.7, "asking")
        times = _ask(here, people, questions)
        read = _rows_of_a_poll(here, people[0])
        progress(0.8, "something is due")
        here.sql("update public.agent_tasks set status = 'failed' where user_id = %s", people[0])
        wait_for(lambda: len(calls) > idle_calls, 10)  # the writer's own wake-up
        told = len(calls)
        # Not waited for in a quick run: the clock may take its 15 seconds.
        called = None if quick else wait_for(lambda: len(calls) > told, 40)
    return {
        "clock_looks": looks,
        "http_calls": idle_calls,
        "calls_when_due": called,
        "clock_look_ms": round(statistics.median(times["look"]), 2),
        "poll_ms": round(statistics.median(times["poll"]), 2),
        "poll_reads": read,
    }


def _ask(here: Stage, people: list[str], questions: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"look": [], "poll": []}
    with closing(PostgresGateway(here.postgres.url)) as gateway, here.connect() as connection:
        for number in range(questions):
            user_id = people[number % len(people)]
            user = User(user_id, "", {"sub": user_id, "role": "authenticated"})
            started = time.perf_counter()
            answer: Any = gateway.rpc("taskbell_inbox", {"p_known_version": 1}, user)
            times["poll"].append((time.perf_counter() - started) * 1000)
            assert answer["changed"] is False
            started = time.perf_counter()
            [(woken,)] = connection.execute("select taskbell.wake_if_due()").fetchall()
            times["look"].append((time.perf_counter() - started) * 1000)
            assert woken is False
    return times


def _rows_of_a_poll(here: Stage, user_id: str) -> list[str]:
    """Return each read of a table that a poll makes, by the plan's own words."""
    plans: list[str] = []
    with psycopg.connect(here.postgres.superuser_url) as connection:
        connection.add_notice_handler(lambda notice: plans.append(str(notice.message_primary)))
        connection.execute("load 'auto_explain'")
        connection.execute("set auto_explain.log_min_duration = 0")
        connection.execute("set auto_explain.log_nested_statements = on")
        connection.execute("set auto_explain.log_analyze = on")
        connection.execute("set client_min_messages = log")
        claims = json.dumps({"sub": user_id, "role": "authenticated"})
        connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        connection.execute("set local role authenticated")
        connection.execute("select public.taskbell_inbox(1)")
    reads = re.findall(
        r"(\w[\w ]* Scan using \w+|Seq Scan) on (\w+).*?rows=([\d.]+) loops=(\d+)\)", "\n".join(plans)
    )
    return [f"{how} on {table}: {rows} rows, {loops} times" for how, table, rows, loops in reads]


@contextmanager
def _counting() -> Iterator[tuple[str, list[float]]]:
    """Serve 200 to every POST, and note when."""
    calls: list[float] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append(time.time())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", calls
        finally:
            server.shutdown()
            thread.join()


def main() -> int:
    """Run it alone."""
    return alone("idle")


if __name__ == "__main__":
    sys.exit(main())
