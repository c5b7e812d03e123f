"""`taskbell keys` and `taskbell migrate` as somebody meets them who has a project and nothing else."""

from __future__ import annotations

import stat
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest

from taskbell.settings import read_settings
from taskbell_local.env_file import read_env
from tests.database.servers import Server
from tests.functions.local_stack import taskbell

FILLED_IN = {
    "SUPABASE_URL": "https://abc.supabase.co",
    "SUPABASE_SECRET_KEY": "sb_secret_x",
    "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_x",
    "VAPID_SUBJECT": "mailto:me@bell.dev",
    "PUBLIC_URL": "https://bell.dev",
}


def test_keys_are_written_with_a_place_for_every_other_setting(tmp_path: Path) -> None:
    file = tmp_path / "taskbell.env"
    done = taskbell("keys", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    settings = read_env(file)
    empty = {name for name, value in settings.items() if not value}
    assert empty == {*FILLED_IN, "DATABASE_URL"}
    made = [settings[name] for name in ("VAPID_PRIVATE_KEY", "WEBHOOK_SECRETS")]
    assert [value for value in made if value in done.stdout] == [], "nothing secret is left on the screen"
    read_settings({**settings, **FILLED_IN})
    seen = f'set -eu; . "{file}"; printf %s "$VAPID_PRIVATE_KEY $WEBHOOK_SECRETS"'
    shell = subprocess.run(["sh", "-c", seen], capture_output=True, text=True, timeout=30)
    assert (shell.stdout, shell.stderr) == (" ".join(made), ""), "a shell reads it too"


def test_keys_that_may_be_in_use_are_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "taskbell.env"
    file.write_text("WEBHOOK_SECRETS=whsec_in_use\n")
    done = taskbell("keys", file)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("may hold keys that are in use: name another file.\n")
    assert file.read_text() == "WEBHOOK_SECRETS=whsec_in_use\n"


def test_what_was_not_filled_in_is_asked_for_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "taskbell.env"
    taskbell("keys", file)
    done = taskbell("migrate", "--env", file)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "taskbell: The settings hold no DATABASE_URL: copy it from Supabase, Connect.\n"


@pytest.fixture
def elsewhere(postgres_server: Server, tmp_path: Path) -> Path:
    """Give the settings of a database that Supabase has never seen."""
    with psycopg.connect(postgres_server.superuser_url, autocommit=True) as connection:
        connection.execute("drop database if exists elsewhere")
        connection.execute("create database elsewhere")
    file = tmp_path / "elsewhere.env"
    address = postgres_server.superuser_url.rpartition("/")[0]
    file.write_text(f"DATABASE_URL={address}/elsewhere\n")
    return file


def test_a_database_that_is_not_supabases_is_recognised_and_left_as_it_was(elsewhere: Path) -> None:
    done = taskbell("migrate", "--env", elsewhere)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("taskbell: This is no Supabase database (")
    with psycopg.connect(read_env(elsewhere)["DATABASE_URL"]) as connection:
        found = connection.execute("select to_regnamespace('taskbell') is null").fetchone()
    assert found == (True,)


def test_a_wrong_password_is_told_from_a_database_that_is_not_there(elsewhere: Path) -> None:
    info = psycopg.conninfo.conninfo_to_dict(read_env(elsewhere)["DATABASE_URL"])
    at = f"{info['host']}:{info['port']}/{info['dbname']}"
    elsewhere.write_text(f"DATABASE_URL=postgresql://{info['user']}:wrong@{at}\n")
    done = taskbell("migrate", "--env", elsewhere)
    assert done.stderr == "taskbell: The database refuses the user or the password in DATABASE_URL.\n"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("DATABASE_URL=foo", "DATABASE_URL is no postgresql:// address: copy it from Supabase, Connect."),
        (
            "DATABASE_URL=postgresql://u:p@nowhere.invalid/x",
            "The database at nowhere.invalid does not answer: copy DATABASE_URL again from Supabase,",
        ),
        ("'", "{file} holds something else than lines of NAME=value: name another file."),
    ],
)
def test_settings_that_cannot_be_right_are_told_in_one_sentence(
    tmp_path: Path, settings: str, sentence: str
) -> None:
    file = tmp_path / "taskbell.env"
    file.write_text(settings)
    done = taskbell("status", "--env", file)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"taskbell: {sentence.format(file=file)}")


@pytest.mark.parametrize("command", ["simulate", "status"])
def test_a_database_without_our_tables_is_told_with_the_command_that_makes_them(
    elsewhere: Path, command: str
) -> None:
    done = taskbell(command, "--env", elsewhere)
    assert (done.returncode, done.stdout) == (1, "")
    remedy = "run `taskbell migrate --env FILE`"
    assert done.stderr == f"taskbell: The database lacks our migrations: {remedy}.\n"


def test_a_sweep_without_the_page_s_address_asks_for_it(tmp_path: Path) -> None:
    file = tmp_path / "taskbell.env"
    taskbell("keys", file)
    done = taskbell("sweep", "--env", file)
    assert done.stderr == "taskbell: The settings hold no PUBLIC_URL: set it to the page's address.\n"


def test_a_page_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "page"
    done = taskbell("page", out)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"taskbell: {out} cannot be written (Not a directory): name another folder.\n"


def test_without_a_command_there_is_help_and_misuse_is_one_sentence() -> None:
    lost = taskbell()
    assert (lost.returncode, lost.stdout) == (2, "")
    assert "Begin with `taskbell dev`." in lost.stderr
    wrong = taskbell("simulate", "--count", "0")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == (
        "taskbell: --count: 0 is no number from 1 up; `taskbell simulate --help` tells what there is.\n"
    )


@pytest.mark.parametrize("hidden", [403, 404, 405])
def test_where_the_sweep_is_for_a_scheduler_alone_the_webhook_is_woken_instead(
    tmp_path: Path, hidden: int
) -> None:
    asked: list[str] = []

    class Deployment(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            found = self.path == "/webhook" and "webhook-signature" in self.headers
            body = b'{"dispatched": {"more": false}}' if found else b"Not found"
            self.send_response(200 if found else hidden)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Deployment) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        file = tmp_path / "taskbell.env"
        file.write_text(
            f"PUBLIC_URL=http://127.0.0.1:{server.server_address[1]}\n"
            "WEBHOOK_SECRETS=whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\n"
        )
        done = taskbell("sweep", "--env", file)
        server.shutdown()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "swept: nothing was due\n"
    assert asked == ["/sweep", "/webhook"]
