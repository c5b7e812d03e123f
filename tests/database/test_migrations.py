"""Migrations: as a role that is no superuser, on both Postgres versions, beside a project's own tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from taskbell_local.migrate import MIGRATIONS, migrate
from taskbell_local.stand_ins import Profile, install
from tests.database.application import EXISTING, TABLES, laid_out
from tests.database.database import Database, project
from tests.database.servers import Server
from tests.database.story import Story

FILES = sorted(MIGRATIONS.glob("*.sql"))


@pytest.fixture
def plain(each_postgres_server: Server, profile: Profile) -> Iterator[Database]:
    """A Supabase project that nobody has migrated yet."""
    with project(each_postgres_server, "plain", profile) as database:
        yield database


def test_they_apply_once_and_then_change_nothing(plain: Database) -> None:
    superuser = plain.value("select rolsuper from pg_roles where rolname = current_user")
    assert superuser is False
    assert [file.name for file in FILES] == migrate(plain.url)
    assert [] == migrate(plain.url)
    recorded = plain.execute(
        "select version, name, statements from supabase_migrations.schema_migrations order by 1"
    )
    assert [(f.name[:14], f.stem[15:], [f.read_text()]) for f in FILES] == recorded


def test_what_they_make_does_its_work_from_a_change_to_the_badge(plain: Database) -> None:
    migrate(plain.url)
    story = Story(plain)
    story.subscribe()
    task = story.new_task()
    story.finish(task)
    [delivery] = story.dispatch()["deliveries"]
    story.settle([delivery], "accepted", status_code=201)
    assert [("draft_ready", True)] == story.states()
    story.database.rpc("taskbell_seen", p_user_id=story.owner, p_contact_id=story.contact)
    story.database.rpc_as(story.owner, "taskbell_assign", p_contact_id=story.contact, p_agent_id=story.agent)
    story.dispatch()
    assert [("pending", False)] == story.states()
    assert 2 == len(
        story.database.rpc_as(story.owner, "taskbell_contact", p_contact_id=story.contact)["tasks"]
    )
    for function in ("taskbell_status", "taskbell_dead_letters", "taskbell_prune", "taskbell_health"):
        story.database.rpc(function)


def test_the_stand_ins_may_be_installed_again_at_any_time(plain: Database, profile: Profile) -> None:
    migrate(plain.url)
    install(plain.superuser_url, profile=profile)
    assert [] == migrate(plain.url)


def test_a_project_that_has_such_tables_keeps_its_own(plain: Database) -> None:
    plain.execute(EXISTING)
    before = laid_out(plain)
    migrate(plain.url)
    assert before == laid_out(plain, but_our_triggers=True)

    plain.execute("update public.agent_tasks set state = 'again' where true")
    claimed = plain.rpc("taskbell_claim")
    assert [("UPDATE", [])] * 2 == [(event["operation"], event["recipients"]) for event in claimed["events"]]
    user = plain.user()
    assert [] == plain.rpc_as(user, "taskbell_inbox")["states"]


def test_such_tables_can_be_written_as_before(plain: Database) -> None:
    """A published table without a key would refuse updates and deletes."""
    plain.execute(EXISTING)
    migrate(plain.url)
    for table in TABLES:
        [(column,)] = plain.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
            "and attidentity = '' order by attnum limit 1",
            f"public.{table}",
        )
        plain.execute(f"update public.{table} set {column} = {column} where true")  # noqa: S608
    for table in reversed(TABLES):
        plain.execute(f"delete from public.{table} where true")  # noqa: S608


LACKING = {
    "pg_net": ("drop schema net cascade; delete from pg_extension where extname = 'pg_net'", "no pg_net"),
    "pg_cron": ("drop schema cron cascade; delete from pg_extension where extname = 'pg_cron'", "no clock"),
    "Realtime": ("drop schema realtime cascade; drop publication supabase_realtime", "no live channel"),
    "a right to realtime.messages": ("revoke supabase_realtime_admin from postgres", "no live channel"),
    "Vault": ("drop schema vault cascade", ""),
}


@pytest.mark.parametrize(("lacking", "notice"), LACKING.values(), ids=LACKING.keys())
def test_what_a_project_lacks_costs_a_notice_and_nothing_else(
    each_postgres_server: Server, lacking: str, notice: str
) -> None:
    with project(each_postgres_server, "lacking", "new") as plain:
        said: list[str] = []
        with psycopg.connect(plain.superuser_url) as superuser:
            superuser.execute(lacking.encode())
        try:
            with plain.connect() as connection:
                connection.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
                for file in FILES:
                    connection.execute(file.read_bytes())
        finally:
            with psycopg.connect(plain.superuser_url) as superuser:
                superuser.execute("grant supabase_realtime_admin to postgres")
        assert any(notice in words for words in said) or not notice
        story = Story(plain)
        story.subscribe()
        story.new_task("failed")
        story.dispatch()
        assert [("failed", True)] == story.states()
        assert ["due"] == story.delivery_states()


def test_the_clock_strikes_each_minute_where_pg_cron_knows_no_seconds(plain: Database) -> None:
    """As pg_cron before 1.5."""
    with psycopg.connect(plain.superuser_url) as superuser:
        superuser.execute("alter table cron.job add check (schedule not like '%seconds%')")
    migrate(plain.url)
    assert [("* * * * *",)] == plain.execute("select schedule from cron.job where jobname = 'taskbell'")


def test_a_file_that_fails_leaves_no_trace_and_the_earlier_ones_stay(plain: Database, tmp_path: Path) -> None:
    (tmp_path / "20260101000000_good.sql").write_text("create table public.good ();")
    bad = tmp_path / "20260101000001_bad.sql"
    bad.write_text("create table public.bad (); select 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(plain.url, directory=tmp_path)
    tables = plain.execute("select table_name from information_schema.tables where table_schema = 'public'")
    assert [("good",)] == tables
    bad.write_text("create table public.bad ();")
    assert ["20260101000001_bad.sql"] == migrate(plain.url, directory=tmp_path)


# What can be told from the text and the catalog.


def test_every_file_has_a_version_of_its_own_and_one_kind_in_its_name() -> None:
    assert all(re.fullmatch(r"\d{14}_[a-z_]+\.sql", file.name) for file in FILES)
    assert len(FILES) == len({file.name[:14] for file in FILES})


def test_no_file_is_longer_than_300_lines() -> None:
    assert [] == [file.name for file in FILES if len(file.read_text().splitlines()) > 300]


def test_no_update_or_delete_goes_without_a_where() -> None:
    """PostgREST's safeupdate refuses those, inside definer functions too."""
    for file in FILES:
        text = re.sub(r"--.*", "", file.read_text())
        for found in re.finditer(r"\b(update\s+[a-z_.]+(\s+(as\s+)?[a-z]+)?\s+set|delete\s+from)\b", text):
            if text[: found.start()].rstrip().endswith("do"):
                continue  # on conflict do update
            rest = re.split(r";|\breturning\b", text[found.end() :])[0]
            assert re.search(r"\bwhere\b", rest), f"{file.name}: {found.group()}"


def test_nothing_is_done_that_hosted_supabase_refuses_or_that_breaks_the_cli() -> None:
    for file in FILES:
        text = re.sub(r"--.*", "", file.read_text())
        assert not re.search(
            r"reset role|^\s*(begin|commit);|concurrently|comment on policy"
            r"|alter table realtime|alter database",
            text,
            re.MULTILINE,
        ), file.name


def test_every_function_has_an_empty_search_path(database: Database) -> None:
    without = database.execute(
        "select oid::regprocedure::text from pg_proc "
        "where pronamespace in ('taskbell'::regnamespace, 'public'::regnamespace) "
        "and not coalesce(proconfig, '{}') @> array['search_path=\"\"']"
    )
    assert [] == without


def test_every_foreign_key_has_an_index(database: Database) -> None:
    without = database.execute(
        """
        select c.conrelid::regclass::text, c.conname from pg_constraint c
        where c.contype = 'f' and c.connamespace in ('taskbell'::regnamespace, 'public'::regnamespace)
          and not exists (
            select from pg_index i
            where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1] and i.indpred is null
          )
        """
    )
    assert [] == without
