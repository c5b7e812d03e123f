"""What the pipeline is measured on: Postgres with `fsync` on, pg_net's stand-in, functions, a push service.

In: nothing. Out: a `Stage`, all of whose parts are processes of their own, as they are where it is deployed.
Touches: a temporary folder, loopback ports, the processes it starts.
"""

import array
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import certifi
import psutil
import psycopg

from taskbell_local.function_settings import own_environment
from taskbell_local.migrate import migrate
from taskbell_local.places import FUNCTIONS
from taskbell_local.postgres import EmbeddedPostgres
from taskbell_local.stand_ins import install
from taskbell_local.vault import keep_secrets
from tests.functions.bell import SECRET, environment_for
from tests.functions.crash_processes import RELAY
from tests.stand_ins.authority import make_identity
from tests.stand_ins.ports import free_port

START_SECONDS = 60.0
_CLOCK = (
    "import asyncio, sys; from taskbell_local.cron import run_jobs;"
    "asyncio.run(run_jobs({'postgres': sys.argv[1], 'supabase_admin': sys.argv[1]}))"
)
POLL_SECONDS = 0.01


@dataclass
class Stage:
    """Everything, running; `settings` is what a function is told."""

    folder: Path
    postgres: EmbeddedPostgres
    push_origin: str
    settings: dict[str, str]
    stack: contextlib.ExitStack
    processes: dict[str, psutil.Process] = field(default_factory=dict)

    def connect(self, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """Return a new connection as `postgres`, committing each statement."""
        return psycopg.connect(self.postgres.url, autocommit=True, **options)

    def sql(self, query: str, *params: object, superuser: bool = False) -> list[tuple[Any, ...]]:
        """Run one statement, or many without parameters."""
        url = self.postgres.superuser_url if superuser else self.postgres.url
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), params or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, query: str, *params: object) -> Any:
        """Return the only value of the only row."""
        [(value,)] = self.sql(query, *params)
        return value

    def pushes(self) -> "array.array[float]":
        """Return when each push so far was accepted, in seconds since the epoch."""
        times = array.array("d")
        content = (self.folder / "pushes").read_bytes()
        times.frombytes(content[: len(content) // 8 * 8])
        return times

    def await_pushes(self, count: int, timeout_seconds: float) -> "array.array[float]":
        """Return the times of all pushes once there are so many, or of those there are when time is up."""
        file = self.folder / "pushes"
        wait_for(lambda: file.stat().st_size >= count * 8, timeout_seconds)
        return self.pushes()

    def await_quiet(self, timeout_seconds: float) -> bool:
        """Wait until nothing is due, nor leased, and no call is on its way; False if time is up before."""
        with self.connect() as connection:
            return wait_for(lambda: not _busy(connection), timeout_seconds)

    def function(self, target: str, *, threads: int = 8, source: Path | None = None) -> str:
        """Start a function as it is deployed, one worker, and return its URL once it answers."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        arguments = f"--target {target} --host 127.0.0.1 --port {port} --source".split()
        path = str(source or FUNCTIONS / "main.py")
        command = ["-m", "taskbell_local.function_main", *arguments, path]
        environment = {"THREADS": str(threads), "XDG_RUNTIME_DIR": str(self.folder), **self.settings}
        self.start(target, command, environment)
        import httpx

        def answers() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return httpx.post(url, trust_env=False).status_code > 0
            return False

        if not wait_for(answers, START_SECONDS):
            raise TimeoutError(f"the function did not start:\n{(self.folder / f'{target}.log').read_text()}")
        return url

    def relay(self, webhook_url: str) -> None:
        """Start what makes the database's calls, and tell the database where to call."""
        with self.connect() as connection:
            secrets = {"taskbell_webhook_url": webhook_url, "taskbell_webhook_secret": SECRET}
            keep_secrets(connection, secrets)
        self.start("relay", ["-c", RELAY, self.postgres.superuser_url], {})
        # A call to where nobody is: when it is taken, somebody listens.
        self.sql("select net.http_post('http://127.0.0.1:1', '{}')")
        taken = "select not exists (select from net.http_request_queue)"
        if not wait_for(lambda: self.value(taken), START_SECONDS):
            raise TimeoutError(f"the relay did not start:\n{(self.folder / 'relay.log').read_text()}")

    def clock(self) -> None:
        """Start what runs the database's jobs, the sweep's clock among them, every 15 seconds."""
        self.start("clock", ["-c", _CLOCK, self.postgres.url], {})

    def start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Start a Python process that ends with the stage; what it says is kept in `name`.log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self._start(name, command, environment, log)

    def start_talking(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a Python process with a function's settings, whose input and output are pipes."""
        return self._start(name, command, self.settings, subprocess.PIPE)

    def _start(
        self, name: str, command: list[str], environment: Mapping[str, str], output: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,  # ends when we do
            stdout=output,
            stderr=subprocess.DEVNULL if output == subprocess.PIPE else output,
            env={**own_environment(os.environ), **environment},
            start_new_session=True,
        )
        self.processes[name] = psutil.Process(process.pid)
        self.stack.callback(_end, process)
        return process

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time that each part has taken so far."""
        spent = {}
        for name, process in self.processes.items():
            everyone = [process, *process.children(recursive=True)]
            total = 0.0
            for one in everyone:
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = one.cpu_times()
                    total += times.user + times.system
            own = process.cpu_times()
            spent[name] = total + own.children_user + own.children_system
        return spent


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Start the database and the push service; end everything that was started."""
    with tempfile.TemporaryDirectory(prefix="taskbell-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "data")
        postgres.start()
        stack.callback(postgres.stop)
        install(postgres.superuser_url)
        migrate(postgres.url)
        (folder / "pushes").touch()
        identity = make_identity(folder)
        trusted = folder / "trusted.pem"
        trusted.write_bytes(Path(certifi.where()).read_bytes() + identity.ca_file.read_bytes())
        settings = {
            **environment_for(postgres.url, push_origin=""),
            "SSL_CERT_FILE": str(trusted),
            "REQUESTS_CA_BUNDLE": str(trusted),
        }
        here = Stage(folder, postgres, "", settings, stack)
        here.processes["postgres"] = psutil.Process(postgres.pid)
        files = [str(identity.certificate_file), str(identity.key_file), str(folder / "pushes")]
        here.start("push service", ["-m", "tests.bench.pipeline_push", *files], {})
        said = folder / "push service.log"
        wait_for(lambda: said.read_text().endswith("\n"), START_SECONDS)
        here.push_origin = f"https://localhost:{int(said.read_text())}"
        settings["EXTRA_PUSH_ORIGINS"] = here.push_origin
        yield here


def wait_for(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Wait until it holds, and say whether it did in time."""
    ends_at = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > ends_at:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _busy(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    row = connection.execute(
        "select exists (select from taskbell.task_events where state = 'due')"
        " or exists (select from taskbell.deliveries where state = 'due')"
        " or exists (select from net.http_request_queue)"
    ).fetchone()
    return bool(row and row[0])


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 15)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
