"""Both gateways keep the same promises: one suite, run straight on Postgres and through Supabase's client."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from taskbell.errors import GatewayError
from taskbell.gateway import Gateway
from taskbell.gateway.postgres import PostgresGateway
from taskbell.gateway.supabase import SupabaseGateway
from taskbell.model import User
from tests.database.database import Database
from tests.stand_ins.postgrest import PostgREST

ISSUER_KEY = ec.generate_private_key(ec.SECP256R1())

PROBES = """
create function public.probe_caller() returns jsonb language sql as $$
  select jsonb_build_object('role', current_user::text, 'uid', auth.uid())
$$;
create function public.probe_echo(
  p_json jsonb default null, p_at timestamptz default null, p_ids bigint[] default null,
  p_id uuid default null, p_text text default null, p_number int default 7, p_flag boolean default null,
  p_span interval default '1 day'
) returns jsonb language sql as $$
  select jsonb_build_object(
    'json', p_json, 'at', p_at, 'ids', p_ids, 'id', p_id, 'text', p_text, 'number', p_number, 'flag', p_flag,
    'span', p_span::text
  )
$$;
create function public.probe_null(p_anything int default 1) returns jsonb language sql as $$
  select null::jsonb
$$;
create function public.probe_fail(p_code text) returns jsonb language plpgsql as $$
begin raise exception 'a row with a secret: hunter2' using errcode = p_code; end $$;
create function public.probe_sleep(p_seconds float) returns jsonb language sql as $$
  select to_jsonb(pg_sleep(p_seconds)::text)
$$;
create table public.probe_rows (id int primary key);
create function public.probe_write(p_id int, p_fail boolean) returns jsonb language plpgsql
security definer set search_path = '' as $$
begin
  insert into public.probe_rows values (p_id) on conflict do nothing;
  if p_fail then raise exception 'no' using errcode = 'P0001'; end if;
  return to_jsonb(p_id);
end $$;
create function public.probe_service_only() returns jsonb language sql as $$ select '1'::jsonb $$;
revoke execute on function public.probe_service_only() from public, anon, authenticated;
grant execute on function public.probe_caller, public.probe_echo, public.probe_null, public.probe_fail,
  public.probe_sleep, public.probe_write to authenticated, service_role;
grant execute on function public.probe_service_only to service_role;
"""


@dataclass
class Way:
    """A gateway, and how to break what it stands on."""

    gateway: Gateway
    database: Database

    def user(self) -> User:
        """Return a signed-in user."""
        user_id = self.database.user()
        claims = {
            "sub": user_id,
            "role": "authenticated",
            "aud": "authenticated",
            "exp": int(time.time()) + 600,
        }
        return User(user_id, jwt.encode(claims, ISSUER_KEY, algorithm="ES256"), claims)

    def break_connections(self) -> None:
        """End every connection to the database but the one that says so."""
        self.database.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid() and usename = current_user"
        )


@pytest.fixture(params=["postgres", "supabase"])
def way(request: pytest.FixtureRequest, database: Database) -> Iterator[Way]:
    """Give each gateway in turn, on a fresh database with functions to probe it by."""
    database.execute(PROBES)
    with contextlib.ExitStack() as stack:
        gateway: Gateway
        if request.param == "postgres":
            gateway = PostgresGateway(database.url)
        else:
            rest = stack.enter_context(
                PostgREST(
                    database.url,
                    secret_key="sb_secret_test",
                    publishable_key="sb_publishable_test",
                    verify_key=ISSUER_KEY.public_key(),
                )
            )
            gateway = SupabaseGateway(rest.url, rest.secret_key)
        stack.callback(gateway.close)
        yield Way(gateway, database)


def error_of(
    way: Way, name: str, params: dict[str, Any] | None = None, user: User | None = None
) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        way.gateway.rpc(name, params or {}, user)
    return caught.value


def test_the_service_calls_as_the_service(way: Way) -> None:
    assert way.gateway.rpc("probe_caller", {}) == {"role": "service_role", "uid": None}


def test_a_user_calls_as_that_user_and_nobody_keeps_the_role(way: Way) -> None:
    one, other = way.user(), way.user()
    for user in (one, other):
        assert way.gateway.rpc("probe_caller", {}, user) == {"role": "authenticated", "uid": user.id}
    assert way.gateway.rpc("probe_caller", {}) == {"role": "service_role", "uid": None}


def test_a_user_may_not_what_only_the_service_may(way: Way) -> None:
    error = error_of(way, "probe_service_only", user=way.user())
    assert (error.reason, error.sqlstate) == ("database_refused", "42501")
    assert way.gateway.rpc("probe_service_only", {}) == 1


def test_parameters_are_read_as_the_functions_own_types(way: Way) -> None:
    nested: Any = {"a": [1, 2.5, None, True, "é👩‍👩‍👧\\u0000"], "": {}}
    answer = way.gateway.rpc(
        "probe_echo",
        {
            "p_json": nested,
            "p_at": "2026-03-02T12:00:00+00:00",
            "p_ids": [1, 9_007_199_254_740_993],
            "p_id": "6f6d3c0e-0000-4000-8000-000000000001",
            "p_text": "it's",
            "p_number": -3,
            "p_flag": False,
            "p_span": "30 days",
        },
    )
    assert answer == {
        "json": nested,
        "at": "2026-03-02T12:00:00+00:00",
        "ids": [1, 9_007_199_254_740_993],
        "id": "6f6d3c0e-0000-4000-8000-000000000001",
        "text": "it's",
        "number": -3,
        "flag": False,
        "span": "30 days",
    }


def test_parameters_that_are_left_out_have_their_defaults_and_null_is_null(way: Way) -> None:
    answer = way.gateway.rpc("probe_echo", {"p_json": None, "p_number": None})
    assert isinstance(answer, dict)
    assert (answer["json"], answer["number"], answer["span"]) == (None, None, "1 day")
    left_out = way.gateway.rpc("probe_echo", {"p_json": []})
    assert isinstance(left_out, dict)
    assert (left_out["json"], left_out["number"]) == ([], 7)


@pytest.mark.parametrize("params", [{}, {"p_anything": 5}])
def test_null_comes_back_as_none(way: Way, params: dict[str, Any]) -> None:
    assert way.gateway.rpc("probe_null", params) is None


@pytest.mark.parametrize("value", [{}, [], [1], "text", 7, True, [[]], {"a": None}])
def test_any_json_comes_back_as_it_went(way: Way, value: Any) -> None:
    answer = way.gateway.rpc("probe_echo", {"p_json": value})
    assert isinstance(answer, dict)
    assert answer["json"] == value


def test_a_large_body_passes(way: Way) -> None:
    answer = way.gateway.rpc("probe_echo", {"p_text": "x" * 3_000_000})
    assert isinstance(answer, dict)
    assert len(str(answer["text"])) == 3_000_000


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("22023", "database_refused"),
        ("23505", "database_refused"),
        ("P0001", "database_refused"),
        ("40001", "database_unavailable"),
        ("40P01", "database_unavailable"),
        ("55P03", "database_unavailable"),
        ("57014", "database_unavailable"),
        ("53300", "database_unavailable"),
    ],
)
def test_errors_carry_a_reason_and_never_the_databases_words(way: Way, code: str, reason: str) -> None:
    error = error_of(way, "probe_fail", {"p_code": code})
    assert (error.reason, error.sqlstate) == (reason, code)
    assert "hunter2" not in str(error)


def test_a_function_or_parameter_that_does_not_exist_is_refused(way: Way) -> None:
    assert error_of(way, "probe_missing").reason == "database_refused"
    assert error_of(way, "probe_missing; drop table x").reason == "database_refused"
    assert error_of(way, "probe_echo", {"p_unheard_of": 1}).reason == "database_refused"
    assert error_of(way, "probe_echo", {"p_text) --": 1}).reason == "database_refused"


@pytest.mark.parametrize(
    "params",
    [
        {"p_json": float("nan")},
        {"p_json": float("inf")},
        {"p_json": "\0"},
        {"p_text": "a\0b"},
        {"p_number": "x"},
        {"p_id": "7"},
    ],
)
def test_what_cannot_be_stored_is_refused(way: Way, params: dict[str, Any]) -> None:
    assert error_of(way, "probe_echo", params).reason == "database_refused"


def test_a_failed_call_leaves_nothing_behind(way: Way) -> None:
    error_of(way, "probe_write", {"p_id": 1, "p_fail": True})
    way.gateway.rpc("probe_write", {"p_id": 2, "p_fail": False})
    assert way.database.execute("select id from public.probe_rows") == [(2,)]


def test_a_caller_in_a_hurry_is_not_kept_waiting(way: Way) -> None:
    started = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        way.gateway.rpc("probe_sleep", {"p_seconds": 4}, timeout_seconds=0.3)
    assert caught.value.reason == "database_unavailable"
    assert time.monotonic() - started < 3.9
    assert way.gateway.rpc("probe_caller", {}) == {"role": "service_role", "uid": None}


def test_broken_connections_are_not_noticed(way: Way) -> None:
    for _ in range(3):
        assert way.gateway.rpc("probe_echo", {"p_number": 1})
        way.break_connections()
    assert way.gateway.rpc("probe_echo", {"p_number": 1})


def test_many_threads_share_it_without_mixing_up_who_is_who(way: Way) -> None:
    users = [way.user() for _ in range(6)]

    def ask(turn: int) -> bool:
        user = users[turn % len(users)] if turn % 3 else None
        answer = way.gateway.rpc("probe_caller", {}, user)
        expected = (
            {"role": "authenticated", "uid": user.id} if user else {"role": "service_role", "uid": None}
        )
        return answer == expected

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(ask, range(60)))


def test_a_forked_process_opens_connections_of_its_own(way: Way) -> None:
    assert way.gateway.rpc("probe_echo", {"p_number": 1})
    child = os.fork()
    if child == 0:  # no assertion may escape into the parent's pytest
        try:
            ok = way.gateway.rpc("probe_null", {}) is None
        except BaseException:
            ok = False
        os._exit(0 if ok else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert way.gateway.rpc("probe_echo", {"p_number": 1})


def test_a_closed_gateway_lets_go_of_its_connections(way: Way) -> None:
    before = set(threading.enumerate())
    assert way.gateway.rpc("probe_echo", {"p_number": 1})
    way.gateway.close()
    left = set(threading.enumerate()) - before
    assert not [thread.name for thread in left if thread.name.startswith("pool-")]


def test_a_password_that_libpq_stumbles_over_is_in_no_log_and_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway = PostgresGateway("postgresql://postgres:hun%ter2@127.0.0.1:1/postgres")
    with contextlib.closing(gateway), pytest.raises(GatewayError) as caught:
        gateway.rpc("taskbell_health", {}, timeout_seconds=0.5)
    assert "hun%ter2" not in caplog.text + str(caught.value)
