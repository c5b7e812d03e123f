"""Taking Taskbell out leaves the application as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taskbell_local.migrate import MIGRATIONS, migrate
from tests.database.application import EXISTING, laid_out, published
from tests.database.database import Database, project
from tests.database.servers import Server
from tests.database.story import Story

UNINSTALL = MIGRATIONS.parent / "infra" / "supabase" / "uninstall.sql"


@pytest.fixture
def plain(each_postgres_server: Server) -> Iterator[Database]:
    """A Supabase project that nobody has migrated yet."""
    with project(each_postgres_server, "to_leave", "new") as database:
        yield database


def test_an_application_that_was_there_is_what_it_was_with_its_rows(plain: Database) -> None:
    plain.execute(EXISTING)
    before = (laid_out(plain), published(plain), everything_but_the_record(plain))
    migrate(plain.url)
    uninstall(plain)
    assert before == (laid_out(plain), published(plain), everything_but_the_record(plain))


def test_tables_that_we_made_stay_with_their_rows_and_work_without_us(story: Story) -> None:
    task = story.new_task("failed")
    story.dispatch()
    story.database.execute("select vault.create_secret('whsec_', 'taskbell_webhook_secret')")
    before = laid_out(story.database, but_our_triggers=True)
    uninstall(story.database)
    assert before == laid_out(story.database)
    assert [] == published(story.database)
    assert 0 == story.database.value("select count(*) from vault.secrets")
    for query in (
        "select count(*) from pg_namespace where nspname = 'taskbell'",
        "select count(*) from pg_proc where proname like 'taskbell%%'",
        "select count(*) from pg_trigger where tgname like 'taskbell%%'",
        "select count(*) from pg_policy where polname like 'taskbell%%'",
        "select count(*) from cron.job where jobname like 'taskbell%%'",
    ):
        assert 0 == story.database.value(query)
    story.set_task(task, status="completed")


def test_it_can_be_installed_again_and_works(story: Story) -> None:
    uninstall(story.database)
    assert [file.name for file in sorted(MIGRATIONS.glob("*.sql"))] == migrate(story.database.url)
    story.new_task("failed")
    story.dispatch()
    assert [("failed", True)] == story.states()


def uninstall(database: Database) -> None:
    with database.connect(autocommit=False) as connection:
        connection.execute(UNINSTALL.read_bytes())


def everything_but_the_record(database: Database) -> list[tuple[str, ...]]:
    """Every object in the database, but for the record of migrations that a tool keeps."""
    return database.execute(
        """
        select oid::regclass::text from pg_class
        where oid >= 16384 and relnamespace::regnamespace::text not in ('pg_toast', 'supabase_migrations')
        union all select oid::regprocedure::text from pg_proc where oid >= 16384
        union all select nspname from pg_namespace
        where nspname !~ '^pg_(toast_)?temp' and nspname <> 'supabase_migrations'
        union all select polname from pg_policy
        union all select jobname from cron.job
        union all select name from vault.secrets
        order by 1
        """
    )
