"""Secrets go into Vault by a way that leaves them in no log, however much the server logs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from taskbell_local import vault_command
from taskbell_local.env_file import write_env
from taskbell_local.errors import StackError
from taskbell_local.vault import keep_secrets
from tests.database.database import Database, project
from tests.database.servers import Server

URL = "https://functions.example/webhook"
LOG_ALL = {
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_duration": "on",
    "log_min_error_statement": "debug5",
    "log_parameter_max_length_on_error": "-1",
    "log_error_verbosity": "verbose",
    "debug_print_plan": "on",
}


@pytest.fixture
def talkative(each_postgres_server: Server) -> Iterator[Database]:
    """A project whose server logs all that it can."""
    with project(each_postgres_server, "talkative", "new") as database:
        with psycopg.connect(database.superuser_url, autocommit=True) as superuser:
            for name, value in LOG_ALL.items():
                superuser.execute(f"alter database talkative set {name} = '{value}'".encode())
        yield database


def webhook_secret(text: str) -> str:
    return "whsec_" + base64.b64encode(text.encode()).decode()


def kept(database: Database) -> dict[str, str]:
    return dict(database.execute("select name, decrypted_secret from vault.decrypted_secrets"))


def test_what_is_kept_or_changed_is_in_no_log(each_postgres_server: Server, talkative: Database) -> None:
    log = each_postgres_server.log
    before = len(log.read_text())
    with talkative.connect() as connection:
        assert ["a", "b"] == keep_secrets(connection, {"a": "first-secret", "b": "second-secret"})
        assert ["a"] == keep_secrets(connection, {"a": "third-secret", "b": "second-secret"})
        assert {"a": "third-secret", "b": "second-secret"} == kept(talkative)
        connection.execute("select vault.create_secret(%s, 'c')", ["bound-secret"])
    said = log.read_text()[before:]
    assert "vault.create_secret" in said
    # A bound value is logged, so the log was listening.
    assert [True, False, False, False] == [
        f"{which}-secret" in said for which in ("bound", "first", "second", "third")
    ]


def test_the_command_keeps_the_newest_secret_and_the_addresses_and_can_be_repeated(
    talkative: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = tmp_path / "taskbell.env"
    secrets = [webhook_secret(f"{which} of more than 24 bytes") for which in ("the old one", "the new one")]
    write_env(env, {"DATABASE_URL": talkative.url, "WEBHOOK_SECRETS": " ".join(secrets)})
    vault_command.run(env, URL)
    assert {"taskbell_webhook_url": URL, "taskbell_webhook_secret": secrets[1]} == kept(talkative)
    vault_command.run(env, URL, "https://functions.example/sweep")
    assert "https://functions.example/sweep" == kept(talkative)["taskbell_sweep_url"]
    said = capsys.readouterr().out
    assert [
        "taskbell_webhook_url: kept",
        "taskbell_webhook_secret: kept",
        "taskbell_webhook_url: was there already",
        "taskbell_webhook_secret: was there already",
        "taskbell_sweep_url: kept",
    ] == said.splitlines()


@pytest.mark.parametrize(
    ("secrets", "url", "reason"),
    [
        ("", URL, "no_webhook_secret"),
        ("whsec_c2hvcnQ=", URL, "no_webhook_secret"),
        (webhook_secret("a secret of enough bytes!"), "functions.example", "bad_address"),
        (webhook_secret("a secret of enough bytes!"), "https://…/webhook", "bad_address"),
    ],
)
def test_what_cannot_be_meant_is_kept_from_vault(
    talkative: Database, tmp_path: Path, secrets: str, url: str, reason: str
) -> None:
    env = tmp_path / "taskbell.env"
    write_env(env, {"DATABASE_URL": talkative.url, "WEBHOOK_SECRETS": secrets})
    with pytest.raises(StackError) as caught:
        vault_command.run(env, url)
    assert reason == caught.value.reason
    assert {} == kept(talkative)


def test_a_project_without_vault_is_told_by_a_code_alone(talkative: Database, tmp_path: Path) -> None:
    with psycopg.connect(talkative.superuser_url) as superuser:
        superuser.execute("drop schema vault cascade")
    env = tmp_path / "taskbell.env"
    secret = webhook_secret("a secret of enough bytes!")
    write_env(env, {"DATABASE_URL": talkative.url, "WEBHOOK_SECRETS": secret})
    with pytest.raises(StackError) as caught:
        vault_command.run(env, URL)
    assert "42P01" in str(caught.value)
    assert secret not in str(caught.value)
