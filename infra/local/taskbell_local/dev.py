"""`taskbell dev`: the whole product on one machine, on loopback, from nothing.

In: a port, a data folder. Out: a page at http://localhost:PORT, and DATA/dev.env for other programs. It
starts, watches and stops everything; it writes below the data folder only.

    Postgres ─┬─ stand-ins, migrations, secrets, demo data
              └─ functions webhook, api, sweep ── front (page, proxy)
                 then relay (pg_net), cron (pg_cron), demo agent
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import random
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from taskbell_local import keys, places
from taskbell_local.demo_data import DEMO_EMAIL, DEMO_USER_ID
from taskbell_local.env_file import write_env
from taskbell_local.errors import StackError
from taskbell_local.function_settings import function_settings
from taskbell_local.postgres import EmbeddedPostgres
from taskbell_local.served_function import ServedFunction

HELD_REQUESTS = 64  # threads of the api: each waiting page occupies one
THREADS = {"webhook": 8, "api": HELD_REQUESTS, "sweep": 4}
# The api tells whether it reaches the database; the framework answers for the others, which only work.
PROBES = {"webhook": "/robots.txt", "api": "/healthz", "sweep": "/robots.txt"}
WATCH_SECONDS = 1.0

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """What the command was told."""

    port: int
    data: Path
    demo: bool
    page: Path = places.WEB

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://localhost:{self.port}"


def run(options: Options) -> None:
    """Run the stack until SIGINT or SIGTERM; raises StackError where it cannot."""
    if not (places.FUNCTIONS / "main.py").exists():
        raise StackError(
            "no_checkout",
            "`taskbell dev` runs a checkout: clone the repository and run `pip install -e .` in it.",
        )
    os.umask(0o077)  # what it keeps is its user's alone
    logging.basicConfig(format="taskbell: %(message)s", level=logging.INFO)
    try:
        with _only_one(options), contextlib.suppress(asyncio.CancelledError):
            _check_port(options.port)
            asyncio.run(_until_signalled(options))
    except BaseExceptionGroup as group:
        if (known := group.subgroup(StackError)) is None:
            raise
        raise _first(known) from None


def _first(group: BaseExceptionGroup[StackError]) -> StackError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


async def _until_signalled(options: Options) -> None:
    this = asyncio.current_task()
    assert this is not None  # noqa: S101
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, this.cancel)
    try:
        await _run(options)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, _already_stopping)


async def _run(options: Options) -> None:
    postgres = EmbeddedPostgres(options.data)
    starting = asyncio.get_running_loop().run_in_executor(None, postgres.start)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(_stop_postgres, postgres, starting)
        made = keys.load_or_make(options.data / "keys.json")
        token = made.user_token(f"{options.url}/auth/v1", DEMO_USER_ID, DEMO_EMAIL)
        await asyncio.shield(starting)
        if postgres.reattached:
            log.info("found Postgres still running, as it was left")
        settings = function_settings(options.url, postgres.url, made, token)
        ports = dict(zip(THREADS, _free_ports(len(THREADS)), strict=True))
        functions = [
            ServedFunction(target, port, settings, options.data / "run" / target, THREADS[target])
            for target, port in ports.items()
        ]
        stack.push_async_callback(_stop_functions, functions)
        for function in functions:
            await function.start()
        # Heavy imports, while the functions do theirs.
        import aiohttp

        from taskbell_local import cron, demo_agent, relay
        from taskbell_local.front import Front
        from taskbell_local.preparation import prepare

        urls = {function.target: function.url for function in functions}
        front = Front(options.page, urls, made.jwks, options.port)
        stack.push_async_callback(front.stop)
        try:
            await front.start()
        except OSError as error:
            raise _taken(options.port) from error
        await _in_thread(lambda: prepare(postgres, urls, made, demo=options.demo))
        write_env(options.data / places.ENV_FILE, {**settings, "DEMO_USER_ID": DEMO_USER_ID})
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(
                *(function.answers(session, PROBES[function.target]) for function in functions)
            )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(relay.relay(postgres.superuser_url))
            tasks.create_task(cron.run_jobs({"postgres": postgres.url}))
            tasks.create_task(_watch(postgres))
            for function in functions:
                tasks.create_task(function.keep())
            if options.demo:
                tasks.create_task(demo_agent.work(postgres.url, random.Random()))  # noqa: S311  # a show
            print(f"taskbell: ready at {options.url}", flush=True)


async def _watch(postgres: EmbeddedPostgres) -> None:
    """Start Postgres again, on the same port, should it end by itself."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        if not postgres.alive:
            log.warning("Postgres ended; starting it again")
            await _in_thread(postgres.start)


async def _in_thread(function: Callable[[], T]) -> T:
    """Run something that blocks; where we are cancelled meanwhile, let it finish first."""
    work = asyncio.create_task(asyncio.to_thread(function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


async def _stop_functions(functions: "list[ServedFunction]") -> None:
    await asyncio.gather(*(function.stop() for function in functions))


async def _stop_postgres(postgres: EmbeddedPostgres, starting: "asyncio.Future[None]") -> None:
    await asyncio.wait([starting])
    if starting.exception() is None:
        await asyncio.to_thread(postgres.stop)


@contextlib.contextmanager
def _only_one(options: Options) -> Iterator[None]:
    """Refuse to run twice on one data folder; the lock goes with the process, however it ends."""
    options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(options.data / "dev.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StackError(
                "already_running",
                f"A stack already runs on {options.data} ({lock.read().strip()}): stop it, or choose another"
                " folder with --data.",
            ) from error
        lock.truncate()
        lock.write(f"{options.url}, process {os.getpid()}")
        lock.flush()
        yield


def _check_port(port: int) -> None:
    """Refuse a taken port before anything is started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except PermissionError as error:
            raise StackError(
                "port_refused", f"Port {port} is for root only: choose one above 1023 with --port."
            ) from error
        except OSError as error:
            raise _taken(port) from error


def _taken(port: int) -> StackError:
    return StackError(
        "port_taken", f"Port {port} is taken: stop what uses it, or choose another with --port."
    )


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _already_stopping() -> None:
    log.info("stopping already")
