"""What one poll costs that is answered 304: the request that every open page makes every five seconds.

In: nothing. Out: milliseconds of each part, and of processor time. Touches: a temporary folder, loopback
ports, processes of its own. Run alone: `python -m tests.bench.inbox_poll`.

Served as it is deployed: Functions Framework, one worker, 16 threads. CPU is of the process that serves,
without Postgres: unlike the times, it does not depend on what else the machine does.
"""

import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

from taskbell.api.auth import Authenticator
from taskbell.api.jwks import KeySet
from taskbell.gateway.postgres import PostgresGateway
from taskbell.model import User
from tests.bench.pipeline_people import add_people
from tests.bench.pipeline_stage import Stage, stage
from tests.bench.section import Figures, Progress, alone
from tests.bench.served import Served, get, request, served
from tests.stand_ins.issuer import Issuer

TITLE = "one poll that is answered 304"
CALLS = 1000
CLIENTS, THREADS = 8, 16
POLLS_OF_ONE_CLIENT = 100  # within what one user may ask at once


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return the parts of a poll, a poll over HTTP alone, and many at once."""
    calls, polls = (5, 3) if quick else (CALLS, POLLS_OF_ONE_CLIENT)
    with stage() as here, Issuer() as issuer:
        people = add_people(here, CLIENTS + 1)
        progress(0.2, "the parts")
        figures = _parts(here, issuer, people[0], calls)
        tokens = [issuer.token(user_id) for user_id in people]
        settings = {**here.settings, "SUPABASE_URL": issuer.project_url}
        with served("api", settings, here.folder, threads=THREADS) as function:
            request(function, get("/v1/config"))
            progress(0.6, "over HTTP")
            return {**figures, **_over_http(function, tokens, polls)}


def _parts(here: Stage, issuer: Issuer, user_id: str, calls: int) -> Figures:
    token = issuer.token(user_id)
    authenticator = Authenticator(issuer.issuer, KeySet(issuer.jwks_url))
    gateway = PostgresGateway(here.postgres.url)
    user = User(id=user_id, token=token, claims={"sub": user_id, "role": "authenticated"})
    parts: dict[str, Callable[[], object]] = {
        "knowing_the_token_again": partial(authenticator.user, f"Bearer {token}"),
        "asking_the_database": partial(gateway.rpc, "taskbell_inbox", {"p_known_version": 0}, user),
    }
    figures: Figures = {}
    for name, part in parts.items():
        part()
        cpu = time.process_time()
        times = _times(part, calls)
        figures[name] = _figures(times, time.process_time() - cpu)
    gateway.close()
    return figures


def _over_http(function: Served, tokens: list[str], polls: int) -> Figures:
    def poll(token: str) -> list[float]:
        headers = {"Authorization": f"Bearer {token}", "If-None-Match": '"v0"'}
        url = f"http://127.0.0.1:{function.port}"
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=20) as http:
            assert http.get("/v1/inbox").status_code == 304
            return _times(lambda: http.get("/v1/inbox"), polls)

    cpu = function.cpu_seconds()
    one_after_the_other = _figures(poll(tokens[0]), function.cpu_seconds() - cpu)
    cpu, started = function.cpu_seconds(), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as threads:
        times = [one for some in threads.map(poll, tokens[1:]) for one in some]
    at_once: dict[str, Any] = _figures(times, function.cpu_seconds() - cpu)
    at_once |= {"clients": CLIENTS, "polls_a_second": round(len(times) / (time.perf_counter() - started))}
    return {"over_http": one_after_the_other, "over_http_at_once": at_once}


def _times(call: Callable[[], object], count: int) -> list[float]:
    times = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return times


def _figures(times: list[float], cpu_seconds: float) -> dict[str, Any]:
    return {
        "p50_ms": round(statistics.median(times) * 1000, 2),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1] * 1000, 2),
        "cpu_ms": round(cpu_seconds / len(times) * 1000, 2),
    }


def main() -> int:
    """Run it alone."""
    return alone(__spec__.name)


if __name__ == "__main__":
    sys.exit(main())
