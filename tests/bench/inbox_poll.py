"""What one poll costs that is answered 304: the request that every open page makes every five seconds.

    .venv/bin/python -m tests.bench.inbox_poll

In: nothing. Out: a table. Starts a Postgres and the function `api` as it is deployed (Functions Framework,
one worker, 16 threads), both on loopback. CPU is of the process that serves, without Postgres: unlike the
times, it does not depend on what else the machine does.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psutil

from taskbell.api.auth import Authenticator
from taskbell.api.jwks import KeySet
from taskbell.gateway.postgres import PostgresGateway
from taskbell.model import User
from tests.database.database import Database, make_template
from tests.database.pool import DatabasePool
from tests.database.servers import embedded
from tests.functions.api.conftest import WEBHOOK_SECRET, vapid_private_key
from tests.stand_ins.issuer import Issuer

REQUESTS = 1000
CLIENTS = 8
POLLS_OF_ONE_CLIENT = 100  # within what one user may ask at once
MAIN = Path(__file__).parents[2] / "functions" / "main.py"


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory(prefix="taskbell-bench-") as folder,
        embedded(Path(folder)) as server,
        Issuer() as issuer,
        closing(DatabasePool(server, make_template(server, "new"))) as pool,
        pool.database() as database,
    ):
        print(f"{'':40}{'p50':>10}{'p95':>10}{'CPU':>10}")
        _parts(database, issuer)
        with _function(database, issuer) as (url, process):
            _over_http(url, process, [issuer.token(database.user()) for _ in range(CLIENTS + 1)])


def _parts(database: Database, issuer: Issuer) -> None:
    user_id = database.user()
    token = issuer.token(user_id)
    authenticator = Authenticator(issuer.issuer, KeySet(issuer.jwks_url))
    gateway = PostgresGateway(database.url)
    user = User(id=user_id, token=token, claims={"sub": user_id, "role": "authenticated"})
    parts: dict[str, Callable[[], object]] = {
        "verifying the token": lambda: authenticator.user(f"Bearer {token}"),
        "asking the database": lambda: gateway.rpc("taskbell_inbox", {"p_known_version": 0}, user),
    }
    for name, part in parts.items():
        part()
        cpu = time.process_time()
        times = _times(part, REQUESTS)
        _row(name, times, (time.process_time() - cpu) / REQUESTS)
    gateway.close()


def _over_http(url: str, process: psutil.Process, tokens: list[str]) -> None:
    def poll(token: str, count: int) -> list[float]:
        headers = {"Authorization": f"Bearer {token}", "If-None-Match": '"v0"'}
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=20) as http:
            assert http.get("/v1/inbox").status_code == 304
            return _times(lambda: http.get("/v1/inbox"), count)

    def cpu() -> float:
        return sum(process.cpu_times()[:2])

    before = cpu()
    times = poll(tokens.pop(), POLLS_OF_ONE_CLIENT)
    _row("a poll over HTTP, one after the other", times, (cpu() - before) / POLLS_OF_ONE_CLIENT)
    before, started = cpu(), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as threads:
        times = [one for some in threads.map(poll, tokens, [POLLS_OF_ONE_CLIENT] * CLIENTS) for one in some]
    _row(f"a poll over HTTP, {CLIENTS} clients at once", times, (cpu() - before) / len(times))
    print(f"{len(times) / (time.perf_counter() - started):,.0f} polls/s, clients on the same machine")


@contextmanager
def _function(database: Database, issuer: Issuer) -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database.url,
        "SUPABASE_URL": issuer.project_url,
        "PUBLIC_URL": "http://localhost:8080",
        "VAPID_PRIVATE_KEY": vapid_private_key(),
        "VAPID_SUBJECT": "mailto:operator@example.com",
        "WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "THREADS": "16",
    }
    command = f"--target api --host 127.0.0.1 --port {port} --source {MAIN}".split()
    with subprocess.Popen([sys.executable, "-m", "functions_framework", *command], env=environment) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url)
            yield url, max(psutil.Process(server.pid).children(), key=lambda one: one.pid)
        finally:
            server.terminate()


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            health = httpx.get(f"{url}/healthz", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            print(json.dumps(health.json()), file=sys.stderr)
            return
    raise TimeoutError("the function did not start")


def _times(call: Callable[[], object], count: int) -> list[float]:
    times = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return times


def _row(what: str, times: list[float], cpu_seconds: float) -> None:
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(f"{what:40}{p50 * 1000:7.2f} ms{p95 * 1000:7.2f} ms{cpu_seconds * 1000:7.2f} ms")


if __name__ == "__main__":
    main()
