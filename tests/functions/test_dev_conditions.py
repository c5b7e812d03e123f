"""What `taskbell dev` cannot work with is told in one sentence, with what to do, before anything runs."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from taskbell_local.errors import StackError
from taskbell_local.keys import load_or_make, make
from taskbell_local.postgres import EmbeddedPostgres
from taskbell_local.preparation import prepare
from tests.functions.local_stack import taskbell

NOBODY = {"webhook": "http://127.0.0.1:1", "sweep": "http://127.0.0.1:1"}


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Give a database that this checkout has prepared before."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("prepared") / "data") as postgres:
        prepare(postgres, NOBODY, make(), demo=False)
        yield postgres


@pytest.mark.parametrize(
    ("below", "why"), [("a-file", "File exists"), ("a-file/data", "Not a directory"), ("", "Is a directory")]
)
def test_a_folder_that_cannot_be_written(tmp_path: Path, below: str, why: str) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "dev.lock").mkdir()
    refused = taskbell("dev", "--data", tmp_path / below)
    data = tmp_path / below if below else tmp_path
    assert (1, "") == (refused.returncode, refused.stdout)
    assert refused.stderr == (
        f"taskbell: Nothing can be kept in {data} ({why}): choose another folder with --data.\n"
    )


def test_a_page_that_was_never_built(tmp_path: Path) -> None:
    refused = taskbell("dev", "--data", tmp_path / "data", "--page", tmp_path)
    assert (1, "") == (refused.returncode, refused.stdout)
    remedy = "build one with `taskbell page OUT`, or leave --page out"
    assert refused.stderr == f"taskbell: There is no page in {tmp_path}: {remedy}.\n"


@pytest.mark.parametrize(
    "url", ["bell", "http://bell.example.com", "https://bell.example.com/path", "https://"]
)
def test_an_address_that_no_phone_can_open(url: str) -> None:
    refused = taskbell("dev", "--public-url", url)
    assert (2, "") == (refused.returncode, refused.stdout)
    assert refused.stderr == (
        f"taskbell: --public-url: {url} is no address such as https://bell.example.com;"
        " `taskbell dev --help` tells what there is.\n"
    )


@pytest.mark.parametrize("text", ["{", "[]", '{"vapid_private_key": "x"}'])
def test_keys_that_are_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(StackError, match="holds no keys: put it back, or remove it") as refused:
        load_or_make(file)
    assert "bad_keys" == refused.value.reason


def test_a_database_that_another_version_of_the_checkout_made(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        record = "update supabase_migrations.schema_migrations set statements"
        second = (
            "(select version from supabase_migrations.schema_migrations order by version offset 1 limit 1)"
        )
        connection.execute(f"{record} = statements || '{{select 1}}' where version >= {second}".encode())
        [(count, first)] = connection.execute(
            """select count(*), min(version || '_' || name || '.sql')
               from supabase_migrations.schema_migrations where cardinality(statements) > 1"""
        ).fetchall()
        try:
            with pytest.raises(StackError) as refused:
                prepare(postgres, NOBODY, make(), demo=False)
        finally:
            connection.execute(f"{record} = statements[1:1]".encode())
    assert str(refused.value) == (
        f"{postgres.cluster} was made by another version of this checkout ({first} and {count - 1} more"
        " changed since): remove that folder to start afresh, or keep it and choose another with --data."
    )
    prepare(postgres, NOBODY, make(), demo=False)


def test_a_database_that_was_made_with_another_password(postgres: EmbeddedPostgres) -> None:
    file = postgres.data / "postgres.password"
    password = file.read_text()
    file.write_text("another")
    try:
        with pytest.raises(StackError, match="put that file back, or remove the folder") as refused:
            prepare(postgres, NOBODY, make(), demo=False)
    finally:
        file.write_text(password)
    assert "wrong_password" == refused.value.reason
