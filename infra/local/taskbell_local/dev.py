"""`taskbell dev`: the whole product on one machine, on loopback, from nothing.

In: a port, a data folder. Out: a page at http://localhost:PORT, and DATA/dev.env for other programs. It
starts, watches and stops everything; it writes below the data folder only.

    Postgres ─┬─ stand-ins, migrations, secrets, demo data
              └─ functions webhook, api, sweep ── front (page, proxy)
                 then relay (pg_net), cron (pg_cron), demo agent
"""

import asyncio
import contextlib
import logging
import os
import random
import signal
import sys
from collections.abc import Callable
from typing import TypeVar

from taskbell_local import dev_terminal, keys, places
from taskbell_local.demo_data import DEMO_EMAIL, DEMO_USER_ID, let_it_be_long_ago
from taskbell_local.dev_conditions import Options, check, only_one, taken
from taskbell_local.env_file import write_env
from taskbell_local.errors import StackError
from taskbell_local.function_settings import function_settings, through_tunnel
from taskbell_local.ports import free_ports
from taskbell_local.postgres import EmbeddedPostgres
from taskbell_local.served_function import ServedFunction

HELD_REQUESTS = 64  # threads of the api: each waiting page occupies one
THREADS = {"webhook": 8, "api": HELD_REQUESTS, "sweep": 4}
# The api tells whether it reaches the database; the framework answers for the others, which only work.
PROBES = {"webhook": "/robots.txt", "api": "/healthz", "sweep": "/robots.txt"}
WATCH_SECONDS = 1.0

log = logging.getLogger(__name__)
T = TypeVar("T")


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
        with only_one(options), contextlib.suppress(asyncio.CancelledError):
            check(options)
            dev_terminal.say_starting(options)
            asyncio.run(_until_signalled(options))
    except BaseExceptionGroup as group:
        if (known := group.subgroup(StackError)) is None:
            raise
        raise _first(known) from None
    dev_terminal.say_farewell(options)


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
        functions = _functions(options, settings)
        stack.push_async_callback(_stop_functions, functions)
        for function in functions:
            await function.start()
        # Heavy imports, while the functions do theirs.
        import aiohttp

        from taskbell_local import cron, demo_agent, relay
        from taskbell_local.front import Front
        from taskbell_local.preparation import prepare

        urls = {function.target: function.url for function in functions}
        front = Front(options.page, urls, made.jwks, options.port, options.hosts)
        stack.push_async_callback(front.stop)
        try:
            await front.start()
        except OSError as error:
            raise taken(options.port) from error
        new_demo = await _in_thread(lambda: prepare(postgres, urls, made, demo=options.demo))
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
            dev_terminal.say_ready(options)
            if new_demo:
                await _in_thread(lambda: let_it_be_long_ago(postgres.url))
            if options.demo:
                tasks.create_task(demo_agent.work(postgres.url, random.Random()))  # noqa: S311  # a show


def _functions(options: Options, settings: dict[str, str]) -> list[ServedFunction]:
    senders = settings if options.public_url is None else through_tunnel(settings, options.public_url)
    readable = sys.stderr.isatty() and not options.json_log
    return [
        ServedFunction(
            target,
            port,
            settings if target == "api" else senders,
            options.data / "run" / target,
            THREADS[target],
            dev_terminal.show_readable() if readable else None,
        )
        for target, port in zip(THREADS, free_ports(len(THREADS)), strict=True)
    ]


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


def _already_stopping() -> None:
    log.info("stopping already")
