"""The stand-ins are as strict as hosted Supabase: what is refused there is refused here."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from taskbell_local.stand_ins import Profile
from tests.database.database import Database, project
from tests.database.servers import Server


@pytest.fixture(scope="module", params=["new", "old"])
def profile(request: pytest.FixtureRequest) -> Profile:
    chosen: Profile = request.param
    return chosen


@pytest.fixture(scope="module")
def plain(each_postgres_server: Server, profile: Profile) -> Iterator[Database]:
    """A Supabase project that nobody has migrated yet."""
    with project(each_postgres_server, "stood_in", profile) as database:
        yield database


def test_the_roles_are_supabases(plain: Database) -> None:
    roles = plain.execute(
        "select rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole from pg_roles where rolname in "
        "('supabase_admin', 'postgres', 'anon', 'authenticated', 'service_role', 'authenticator') order by 1"
    )
    assert [
        ("anon", False, False, False, False),
        ("authenticated", False, False, False, False),
        ("authenticator", False, False, True, False),
        ("postgres", False, True, True, True),
        ("service_role", False, True, False, False),
        ("supabase_admin", True, True, True, True),
    ] == roles
    assert "postgres" == plain.value(
        "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
    )


@pytest.mark.parametrize(
    "refused",
    [
        "create table auth.ours ()",
        "create function realtime.ours() returns int language sql as 'select 1'",
        "create table vault.ours ()",
        "insert into vault.secrets (secret) values ('s')",
        "create table net.ours ()",
        "insert into cron.job (schedule, command) values ('* * * * *', 'select 1')",
        "alter table auth.users add column ours int",
        "create extension pg_prewarm",
        "set session_replication_role = replica",
    ],
)
def test_what_postgres_may_not_do_there_it_may_not_do_here(plain: Database, refused: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        plain.execute(refused)


def test_what_postgres_may_do_there_it_may_do_here(plain: Database) -> None:
    plain.execute("create table public.ours (id uuid references auth.users (id))")
    plain.execute("alter publication supabase_realtime add table public.ours")
    plain.execute("create policy p on realtime.messages for select to authenticated using (true)")
    secret = plain.value("select vault.create_secret('s', 'name')")
    plain.execute("select vault.update_secret(%s, 'other')", secret)
    assert [("name", "other")] == plain.execute("select name, decrypted_secret from vault.decrypted_secrets")
    with pytest.raises(psycopg.errors.UniqueViolation):
        plain.execute("select vault.create_secret('s', 'name')")
    first, second = (plain.value("select cron.schedule('j', '15 seconds', 'select 1')") for _ in range(2))
    assert first == second
    assert plain.value("select cron.unschedule('j')") is True


def test_the_default_privileges_are_those_of_the_profile(plain: Database, profile: Profile) -> None:
    plain.execute("create table public.granted ()")
    plain.execute("create function public.granted() returns int language sql as 'select 1'")
    readable = [
        plain.value("select has_table_privilege(%s, 'public.granted', 'select')", role)
        for role in ("anon", "authenticated", "service_role")
    ]
    assert [profile == "old"] * 3 == readable
    assert plain.value("select has_function_privilege('anon', 'public.granted()', 'execute')") is True


def test_users_see_neither_secrets_nor_jobs(plain: Database) -> None:
    for query in ("select * from vault.decrypted_secrets", "select * from cron.job"):
        for role in ("anon", "authenticated"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), plain.signed_in(role) as connection:
                connection.execute(query.encode())


def test_a_request_is_who_its_claims_say(plain: Database) -> None:
    user = plain.user()
    with plain.signed_in("authenticated", user) as connection:
        [(who, role)] = connection.execute("select auth.uid()::text, auth.jwt() ->> 'role'").fetchall()
    assert (user, "authenticated") == (who, role)
    assert plain.value("select auth.uid()") is None


def test_hmac_is_that_of_rfc_4231(plain: Database) -> None:
    """RFC 4231 §4.2 and §4.7: a short key, and one longer than a block."""
    for key, data, expected in (
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ):
        assert expected == plain.value("select encode(extensions.hmac(%s, %s, 'sha256'), 'hex')", data, key)
