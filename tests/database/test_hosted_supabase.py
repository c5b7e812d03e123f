"""What hosted Supabase lets a migration do, refuses and grants: the stand-ins do so too, row by row.

Tried on both Postgres versions, under both of Supabase's default privileges, before and after the migrations
have run there. What only the text of a migration can break (a missing WHERE, `reset role`, CONCURRENTLY) is
looked for in test_migrations.py; who may call which of our functions in test_who_sees_what.py; Vault, pg_net,
pg_cron and Realtime are in test_hosted_services.py.
"""

from __future__ import annotations

import pytest

from taskbell_local.stand_ins import Profile, install
from tests.database.database import Connection, Database
from tests.database.hosted import API_ROLES, refused, value

# The roles, their settings and the schemas' owners ("What a stand-in must reproduce", 1 to 3).


def test_the_migrations_ran_as_postgres_who_is_no_superuser(hosted: Connection) -> None:
    attributes = hosted.execute(
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles "
        "where rolname = current_user"
    ).fetchone()
    assert (False, True, True, True, True) == attributes
    assert "postgres" == value(hosted, "select current_user::text")
    assert 10 == value(hosted, "select oid::int from pg_roles where rolname = 'supabase_admin' and rolsuper")
    assert "postgres" == value(
        hosted, "select pg_get_userbyid(datdba)::text from pg_database where datname = current_database()"
    )
    assert '"$user", public, extensions' == value(hosted, "select current_setting('search_path')")


def test_postgres_is_a_member_of_the_api_roles_and_may_pass_them_on(hosted: Connection) -> None:
    memberships: dict[str, bool] = dict(
        hosted.execute(
            "select roleid::regrole::text, admin_option from pg_auth_members "
            "where member = 'postgres'::regrole and grantor = 10"
        ).fetchall()
    )
    for role in (*API_ROLES, "pg_monitor", "pg_read_all_data", "pg_signal_backend"):
        assert (role in API_ROLES) == memberships[role]


def test_the_api_roles_cannot_log_in_and_the_authenticator_becomes_each_of_them(hosted: Connection) -> None:
    roles = hosted.execute(
        "select rolname, rolcanlogin, rolinherit, rolbypassrls, rolsuper from pg_roles "
        "where rolname = any (%s) order by 1",
        ([*API_ROLES, "authenticator"],),
    ).fetchall()
    assert [
        ("anon", False, False, False, False),
        ("authenticated", False, False, False, False),
        ("authenticator", True, False, False, False),
        ("service_role", False, False, True, False),
    ] == roles
    for role in API_ROLES:
        assert value(hosted, "select pg_has_role('authenticator', %s, 'member')", role)


def test_time_outs_are_3_seconds_for_strangers_8_for_users_and_none_for_us(hosted: Connection) -> None:
    settings = {
        (role, setting.split("=")[0]): setting.split("=")[1]
        for role, setting in hosted.execute(
            "select setrole::regrole::text, unnest(setconfig) from pg_db_role_setting where setrole <> 0"
        )
        if "timeout" in setting
    }
    assert {
        ("anon", "statement_timeout"): "3s",
        ("authenticated", "statement_timeout"): "8s",
        ("authenticator", "statement_timeout"): "8s",
        ("authenticator", "lock_timeout"): "8s",
    } == settings


def test_the_schemas_belong_to_those_they_belong_to_there(hosted: Connection) -> None:
    owners: dict[str, str] = dict(
        hosted.execute("select nspname, nspowner::regrole::text from pg_namespace").fetchall()
    )
    assert "postgres" == owners["extensions"]
    others = ("auth", "realtime", "storage", "vault", "net", "cron")
    assert dict.fromkeys(others, "supabase_admin") == {name: owners[name] for name in others}
    for schema in ("auth", "realtime", "storage"):
        rights = [
            value(hosted, "select has_schema_privilege('postgres', %s, %s)", schema, privilege)
            for privilege in ("usage", "create")
        ]
        assert [True, False] == rights


def test_realtime_messages_is_partitioned_guarded_and_not_ours(hosted: Connection) -> None:
    table = hosted.execute(
        "select relowner::regrole::text, relrowsecurity, pg_get_partkeydef(oid) from pg_class "
        "where oid = 'realtime.messages'::regclass"
    ).fetchone()
    assert ("supabase_realtime_admin", True, "RANGE (inserted_at)") == table


def test_installing_the_stand_ins_again_changes_nothing(migrated: Database, profile: Profile) -> None:
    everything = (
        "select oid::regclass::text, relowner, relacl::text from pg_class where oid >= 16384 "
        "and relnamespace <> 'pg_toast'::regnamespace order by 1"
    )
    before = migrated.execute(everything)
    install(migrated.superuser_url, profile=profile)
    assert before == migrated.execute(everything)


# The table, row by row.

WORKS = {
    "own schemas, tables, policies, keys to auth.users": """
        create schema ours;
        create table ours.t (id int primary key, user_id uuid references auth.users (id) on delete cascade);
        alter table ours.t enable row level security;
        create policy p on ours.t for select to authenticated using (user_id = (select auth.uid()));
        alter table ours.t replica identity full;
        create function ours.f() returns int language sql security definer set search_path = '' as 'select 1';
    """,
    "triggers with transition tables, skip locked, advisory locks": """
        create table public.t (id int primary key);
        create function public.f() returns trigger language plpgsql security definer set search_path = '' as
        $$ begin perform count(*) from added; return null; end $$;
        create trigger t after insert on public.t referencing new table as added
        for each statement execute function public.f();
        insert into public.t values (1);
        select * from public.t for update skip locked;
        select pg_advisory_xact_lock(1);
    """,
    "extensions that are there already": """
        create extension if not exists pg_net with schema extensions;
        create extension if not exists pg_cron with schema pg_catalog;
        create extension if not exists pgcrypto with schema extensions;
        create extension if not exists "uuid-ossp" with schema extensions;
        create extension if not exists supabase_vault;
    """,
    "policies on realtime.messages": """
        create policy ours on realtime.messages for select to authenticated using (true);
        alter policy ours on realtime.messages using (false);
        drop policy ours on realtime.messages;
    """,
    "a table more in the publication": """
        create table public.t (id int primary key);
        alter publication supabase_realtime add table public.t;
        alter publication supabase_realtime drop table public.t;
    """,
    "a trigger on auth.users, if its function is a definer's": """
        create function public.f() returns trigger language plpgsql security definer set search_path = '' as
        $$ begin return null; end $$;
        create trigger ours after insert on auth.users for each row execute function public.f();
        insert into auth.users (id) values (gen_random_uuid());
    """,
    "another list of exposed schemas": "alter role authenticator set pgrst.db_schemas = 'public, ours'",
    "dropping what is our own": "drop schema taskbell cascade",
}


@pytest.mark.parametrize("statements", WORKS.values(), ids=WORKS.keys())
def test_what_works_there_works_here(hosted: Connection, statements: str) -> None:
    hosted.execute(statements.encode())


REFUSALS = {
    "a table in auth": "create table auth.ours ()",
    "a table in realtime": "create table realtime.ours ()",
    "a table in storage": "create table storage.ours ()",
    "a function in realtime": "create function realtime.f() returns int language sql as 'select 1'",
    "an index in realtime": "create index ours on realtime.messages (topic)",
    "a column of auth.users": "alter table auth.users add column ours int",
    "a comment on a policy of realtime.messages": """
        create policy ours on realtime.messages for select to authenticated using (true);
        comment on policy ours on realtime.messages is 'ours'
    """,
    "row security of realtime.messages": "alter table realtime.messages enable row level security",
    "a secret written past Vault": "insert into vault.secrets (secret) values ('s')",
    "a secret changed past Vault": "update vault.secrets set secret = 's' where true",
    "a key to a secret": "create table public.t (id uuid references vault.secrets (id))",
    "a job written past cron": "insert into cron.job (schedule, command) values ('* * * * *', 'select 1')",
    "dropping a trigger on pg_net's answers": """
        create function public.f() returns trigger language plpgsql as $$ begin return null; end $$;
        create trigger ours after insert on net._http_response for each row execute function public.f();
        drop trigger ours on net._http_response
    """,
    "a setting of the database": "do $$ begin execute format('alter database %I set app.x = 1', "
    "current_database()); end $$",
    "an extension of no project": "create extension pg_prewarm",
    "writing without triggers": "set session_replication_role = replica",
}


@pytest.mark.parametrize("statements", REFUSALS.values(), ids=REFUSALS.keys())
def test_what_is_refused_there_is_refused_here(hosted: Connection, statements: str) -> None:
    *before, last = [part for part in statements.split(";\n") if part.strip()]
    for statement in before:
        hosted.execute(statement.encode())
    with refused(hosted):
        hosted.execute(last.encode())


def test_a_new_table_is_the_api_roles_under_the_old_profile_only(
    hosted: Connection, profile: Profile
) -> None:
    hosted.execute("create table public.granted ()")
    readable = [
        value(hosted, "select has_table_privilege(%s, 'public.granted', 'select')", role)
        for role in API_ROLES
    ]
    assert [profile == "old"] * 3 == readable


def test_a_new_function_is_everybodys_and_default_privileges_do_not_change_that(hosted: Connection) -> None:
    hosted.execute("alter default privileges in schema public revoke execute on functions from public")
    hosted.execute("create function public.f() returns int language sql as 'select 1'")
    callable_by = [value(hosted, "select has_function_privilege(%s, 'public.f()', 'execute')", role)
                   for role in API_ROLES]  # fmt: skip
    assert [True] * 3 == callable_by


def test_a_trigger_fires_for_those_who_may_not_call_its_function(hosted: Connection) -> None:
    hosted.execute(
        """
        create table public.t (id int);
        create function public.f() returns trigger language plpgsql security definer set search_path = '' as
        $$ begin new.id := new.id + 1; return new; end $$;
        revoke execute on function public.f() from public, anon, authenticated;
        create trigger t before insert on public.t for each row execute function public.f();
        grant all on public.t to authenticated;
        set local role authenticated;
        """
    )
    assert 2 == value(hosted, "insert into public.t values (1) returning id")
