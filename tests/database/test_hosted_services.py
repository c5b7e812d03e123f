"""Vault, pg_net, pg_cron and Realtime, as far as the database knows them: the stand-ins act as the real ones.

See test_hosted_supabase.py.
"""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.database.database import Connection, Database
from tests.database.hosted import API_ROLES, refused, value


def test_vault_keeps_secrets_by_unique_names_for_definers_and_not_for_users(hosted: Connection) -> None:
    secret = value(hosted, "select vault.create_secret('one', 'theirs')")
    with pytest.raises(psycopg.errors.UniqueViolation), hosted.transaction():
        hosted.execute("select vault.create_secret('two', 'theirs')")
    hosted.execute("select vault.update_secret(%s, 'three')", (secret,))
    hosted.execute(
        "create function public.reads() returns text language sql security definer set search_path = '' as "
        "$$ select decrypted_secret from vault.decrypted_secrets where name = 'theirs' $$"
    )
    hosted.execute("grant execute on function public.reads() to authenticated")
    hosted.execute("set local role authenticated")
    assert "three" == value(hosted, "select public.reads()")
    with refused(hosted):
        hosted.execute("select * from vault.decrypted_secrets")
    hosted.execute("set local role postgres")
    for function in ("create_secret(text, text, text, uuid)", "update_secret(uuid, text, text, text, uuid)"):
        callers = [
            value(hosted, "select has_function_privilege(%s, %s, 'execute')", role, f"vault.{function}")
            for role in ("postgres", *API_ROLES)
        ]
        assert [True, False, False, True] == callers


def test_pg_nets_tables_are_open_to_every_role_and_stay_so(hosted: Connection) -> None:
    hosted.execute("revoke all on net.http_request_queue, net._http_response from public, anon")
    for table in ("net.http_request_queue", "net._http_response"):
        for privilege in ("select", "insert", "update", "delete"):
            assert value(hosted, "select has_table_privilege('anon', %s, %s)", table, privilege)
        assert "u" == value(
            hosted, "select relpersistence::text from pg_class where oid = %s::regclass", table
        )
    assert value(hosted, "select has_schema_privilege('anon', 'net', 'usage')")
    posting = "net.http_post(text, jsonb, jsonb, jsonb, int)"
    assert value(hosted, "select has_function_privilege('anon', %s, 'execute')", posting)


@pytest.mark.parametrize("role", API_ROLES)
def test_a_wake_up_is_queued_whoever_writes(hosted: Connection, role: str) -> None:
    hosted.execute("select vault.create_secret('https://functions.example/', 'taskbell_webhook_url')")
    hosted.execute("select vault.create_secret('whsec_c2VjcmV0', 'taskbell_webhook_secret')")
    hosted.execute("create policy anyone on public.agent_tasks for insert with check (true)")
    hosted.execute(sql.SQL("grant insert on public.agent_tasks to {}").format(sql.Identifier(role)))
    user = value(hosted, "insert into auth.users (id) values (gen_random_uuid()) returning id")
    hosted.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    hosted.execute("insert into public.agent_tasks (user_id) values (%s)", (user,))
    assert 1 == value(hosted, "select count(*) from net.http_request_queue")


def test_jobs_are_scheduled_by_postgres_in_place_and_by_nobody_else(hosted: Connection) -> None:
    first, second = (
        value(hosted, "select cron.schedule('j', %s, 'select 1')", schedule)
        for schedule in ("15 seconds", "* * * * *")
    )
    assert first == second
    assert [("* * * * *", "postgres")] == hosted.execute(
        "select schedule, username from cron.job where jobname = 'j'"
    ).fetchall()
    assert value(hosted, "select has_table_privilege('postgres', 'cron.job_run_details', 'delete')")
    for role in API_ROLES:
        with refused(hosted):
            hosted.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            hosted.execute("select cron.schedule('theirs', '* * * * *', 'select 1')")


def test_the_publication_is_postgress_and_a_table_cannot_be_added_twice(hosted: Connection) -> None:
    owner = value(
        hosted, "select pubowner::regrole::text from pg_publication where pubname = 'supabase_realtime'"
    )
    assert "postgres" == owner
    with pytest.raises(psycopg.errors.DuplicateObject), hosted.transaction():
        hosted.execute("alter publication supabase_realtime add table public.agent_tasks")


def test_a_broadcast_by_a_user_or_without_a_partition_is_lost_with_a_warning(migrated: Database) -> None:
    send = "select realtime.send('{}', 'inbox', 'user:1', true)"
    kept = "select count(*) from realtime.messages"
    said: list[str | None] = []
    with psycopg.connect(migrated.superuser_url) as superuser:
        superuser.add_notice_handler(lambda notice: said.append(notice.severity_nonlocalized))
        superuser.execute("set local role authenticated")
        superuser.execute(send)
        superuser.execute("reset role")
        assert (["WARNING"], 0) == (said, value(superuser, kept))
        superuser.execute(send)
        assert (["WARNING"], 1) == (said, value(superuser, kept))
        for (partition,) in superuser.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'realtime.messages'::regclass"
        ).fetchall():
            superuser.execute(f"drop table {partition}".encode())
        superuser.execute(send)
        assert (["WARNING"] * 2, 0) == (said, value(superuser, kept))
        superuser.rollback()
