"""`taskbell dev` from start to end: quick, private, on loopback, and never leaving a mess behind."""

import contextlib
import io
import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from taskbell_local.account import server_account
from tests.functions.local_stack import LocalStack, gone, python_for_everybody, taskbell
from tests.functions.promises import allowed
from tests.stand_ins.ports import free_port
from tests.stand_ins.record import wait_until

FIRST_START_SECONDS, SECOND_START_SECONDS = 10.0, 3.0  # the promise, on a machine that is otherwise idle
AGAIN_SECONDS = 60.0  # for what crashed to be there again
LOOPBACK = {"127.0.0.1", "::1"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Name a data folder below one that nobody else may enter."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    return closed / "data"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("stack") / "data", "--no-demo") as running:
        yield running


def until_answering(stack: LocalStack) -> None:
    wait_until(lambda: stack.get("/v1/config") == 200, "the api answers", timeout_seconds=AGAIN_SECONDS)


def test_the_second_start_is_quicker_than_the_first_and_finds_everything_again(data: Path) -> None:
    with LocalStack(data, "--no-demo") as first:
        first.sql("insert into public.agents (kind, name) values ('outreach', 'kept')")
        keys = {name: first.settings[name] for name in ("VAPID_PRIVATE_KEY", "WEBHOOK_SECRETS")}
    with LocalStack(data, "--no-demo") as second:
        assert second.sql("select name from public.agents") == [("kept",)]
        assert {name: second.settings[name] for name in keys} == keys
    print(f"taskbell dev: first start {first.start_seconds:.1f} s, second {second.start_seconds:.1f} s")
    assert first.start_seconds < allowed(FIRST_START_SECONDS)
    assert second.start_seconds < allowed(SECOND_START_SECONDS)


def test_the_page_its_functions_and_its_key_set_answer_at_one_address(stack: LocalStack) -> None:
    paths = ("/", "/sw.js", "/v1/config", "/auth/v1/.well-known/jwks.json", "/webhook", "/sweep", "/v1/inbox")
    assert {path: stack.get(path) for path in paths} == {
        "/": 200,
        "/sw.js": 200,
        "/v1/config": 200,
        "/auth/v1/.well-known/jwks.json": 200,
        "/webhook": 405,
        "/sweep": 405,
        "/v1/inbox": 401,
    }


def test_everything_listens_on_loopback(stack: LocalStack) -> None:
    listening = {address for process in stack.processes() for address in listening_on(process)}
    assert listening
    assert listening <= LOOPBACK


def listening_on(process: psutil.Process) -> list[str]:
    try:
        connections = process.net_connections("inet")
    except psutil.NoSuchProcess:  # a database connection that ended meanwhile
        return []
    return [each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN]


def test_what_it_keeps_is_its_user_s_alone_and_no_folder_is_opened(data: Path) -> None:
    above = {folder: folder.stat().st_mode for folder in data.parents}
    with LocalStack(data):
        kept = [
            data,
            *(path for path in data.rglob("*") if "postgres" not in path.relative_to(data).parts[:1]),
        ]
        loose = [str(path.relative_to(data)) for path in kept if path.lstat().st_mode & 0o077]
        assert loose == []
        assert stat.S_IMODE((data / "postgres").stat().st_mode) == 0o700
    assert {folder: folder.stat().st_mode for folder in data.parents} == above


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_order_and_leaves_no_process(data: Path, how: signal.Signals) -> None:
    stack = LocalStack(data).start()
    processes = stack.processes()
    assert len(processes) > 6
    assert stack.stop(how) == 0
    assert gone(processes) == []
    assert not (data / "postgres/postmaster.pid").exists()
    assert "Traceback" not in stack.said()


def test_after_kill_9_nothing_but_postgres_is_left_and_the_next_start_finds_it(data: Path) -> None:
    stack = LocalStack(data, "--no-demo").start()
    stack.sql("insert into public.agents (kind, name) values ('outreach', 'kept')")
    processes = stack.processes()
    server = int((data / "postgres/postmaster.pid").read_text().split()[0])
    stack.kill()
    left = [one for one in processes if "function_main" in " ".join(cmdline(one))]
    assert gone(left) == []
    with LocalStack(data, "--no-demo") as again:
        assert "found Postgres still running" in again.said()
        assert int((data / "postgres/postmaster.pid").read_text().split()[0]) == server
        assert again.sql("select name from public.agents") == [("kept",)]
    assert gone([one for one in processes if one.pid == server]) == []


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def test_a_function_that_crashes_is_started_again(stack: LocalStack) -> None:
    [api] = [one for one in psutil.Process(stack.process.pid).children() if "api" in cmdline(one)]
    os.killpg(api.pid, signal.SIGKILL)
    api.wait(AGAIN_SECONDS)
    until_answering(stack)
    assert "function api ended (code -9); starting it again" in stack.said()


def test_postgres_that_crashes_is_started_again_where_everyone_knows_it(stack: LocalStack) -> None:
    until_answering(stack)
    address = stack.settings["DATABASE_URL"]
    server = psutil.Process(int((stack.data / "postgres/postmaster.pid").read_text().split()[0]))
    server.kill()
    assert gone([server]) == []

    def answers() -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return stack.sql("select 42") == [(42,)]
        return False

    wait_until(answers, "Postgres answers again", timeout_seconds=AGAIN_SECONDS)
    assert stack.settings["DATABASE_URL"] == address


def test_a_taken_port_is_told_with_a_remedy_and_leaves_nothing_running(stack: LocalStack, data: Path) -> None:
    refused = taskbell("dev", "--port", str(stack.port), "--data", data)
    assert (refused.returncode, refused.stdout, refused.stderr) == (
        1,
        "",
        f"taskbell: Port {stack.port} is taken: stop what uses it, or choose another with --port.\n",
    )
    assert not (data / "postgres/postmaster.pid").exists()


def test_a_second_stack_on_the_same_data_is_refused(stack: LocalStack) -> None:
    refused = taskbell("dev", "--port", "1", "--data", stack.data)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"taskbell: A stack already runs on {stack.data} ({stack.url}, process ")


def test_no_secret_is_printed(stack: LocalStack) -> None:
    secret = ("VAPID_PRIVATE_KEY", "WEBHOOK_SECRETS", "DATABASE_URL", "DEMO_TOKEN")
    printed = stack.said() + (stack.data / "postgres.log").read_text()
    shown = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True).stdout
    assert [name for name in secret if stack.settings[name] in printed + shown] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="everything here ran as a normal user already")
def test_a_normal_user_runs_all_of_it() -> None:
    python, environment = python_for_everybody()
    with tempfile.TemporaryDirectory(prefix="taskbell-test-", dir="/var/tmp") as home:
        nobody = server_account(Path(home) / "none")
        assert nobody is not None
        os.chown(home, nobody.uid, nobody.gid)
        command = f"-m taskbell_local.cli dev --port {free_port()} --data {home}/data".split()
        process = subprocess.Popen(
            [python, *command],
            user=nobody.uid,
            group=nobody.gid,
            extra_groups=[],
            cwd="/",
            env={**environment, "HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process, contextlib.closing(process.stdout or io.StringIO()) as said:
            ready = next((line for line in said if "ready" in line), "")
            owners = {one.uids().real for one in psutil.Process(process.pid).children(recursive=True)}
            process.terminate()
            said.read()
        assert ready.startswith("taskbell: ready at http://localhost:")
        assert owners == {nobody.uid}
        assert process.returncode == 0
