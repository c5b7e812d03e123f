"""A stack that is well, and broken in one way after the other: `taskbell doctor` names each, and no other."""

import json
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from taskbell_local import keys
from taskbell_local.doctor.command import examine
from tests.functions.bell import new_browser
from tests.functions.doctor.ways import WAYS, Broken, broken
from tests.functions.local_page import RingingStack
from tests.functions.local_stack import LocalStack, taskbell
from tests.stand_ins.postgrest import PostgREST
from tests.stand_ins.push_service import Behaviour


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_each_way_of_being_broken_is_named_with_its_remedy(stack: LocalStack, way: Broken) -> None:
    with broken(stack, way) as settings:
        findings = examine(settings)
    failed = {one.check.slug: one.verdict for one in findings if one.outcome == "failed"}
    assert set(failed) == way.failed, failed
    assert any(way.remedy in getattr(verdict, "remedy", "") for verdict in failed.values()), failed


def test_a_stack_that_is_well_passes_every_check_and_no_value_is_printed(stack: LocalStack) -> None:
    done = taskbell("doctor", "--env", stack.data / "dev.env")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "✗" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("All is well: ")
    secret = ("VAPID_PRIVATE_KEY", "WEBHOOK_SECRETS", "DATABASE_URL", "DEMO_TOKEN")
    assert [name for name in secret if stack.settings[name] in done.stdout] == []


def test_machines_get_json_and_an_exit_code(stack: LocalStack) -> None:
    with broken(stack, WAYS["there is no clock"]):
        done = taskbell("doctor", "--env", stack.data / "dev.env", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    assert told["ok"] is False
    checks = {one["check"]: one for one in told["checks"]}
    assert checks["clock"]["outcome"] == "failed"
    assert "cron.schedule('taskbell', '15 seconds'" in checks["clock"]["remedy"]
    assert (checks["clock_runs"]["outcome"], checks["clock_runs"]["found"]) == ("skipped", "needs clock")


def test_what_depends_on_a_broken_thing_is_skipped_with_the_reason(stack: LocalStack) -> None:
    with broken(stack, WAYS["the database is not there"]) as settings:
        findings = {one.check.slug: one for one in examine(settings)}
    assert findings["migrations"].verdict.found == "needs database"
    assert findings["triggers"].verdict.found == "needs migrations"
    assert findings["webhook_accepts"].outcome == "ok", "what can be asked without it is"


def test_a_wrong_password_and_a_role_that_may_not_look_are_told_apart(stack: LocalStack) -> None:
    def outcome(url: str) -> tuple[set[str], str]:
        findings = examine({**stack.settings, "DATABASE_URL": url})
        failed = {one.check.slug: one.verdict for one in findings if one.outcome == "failed"}
        return set(failed), str(getattr(failed.get("database"), "found", ""))

    info = psycopg.conninfo.conninfo_to_dict(stack.settings["DATABASE_URL"])
    at = f"{info['host']}:{info['port']}/{info['dbname']}"
    assert outcome(f"postgresql://postgres:wrong@{at}") == ({"database"}, "not reached (bad_password)")
    stack.sql("create role onlooker login password 'x'")
    try:
        failed, database = outcome(f"postgresql://onlooker:x@{at}")
        assert database == ""
        assert failed == {"migrations"}, "the role may not read what was applied"
    finally:
        stack.sql("drop role onlooker")


def test_the_functions_own_way_through_the_data_api_is_tried(stack: LocalStack) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    settings = stack.settings
    rest = PostgREST(
        settings["DATABASE_URL"], secret_key="sb_secret_x", publishable_key="sb_publishable_x", verify_key=key
    )
    with rest:
        through = {**settings, "SUPABASE_URL": rest.url, "SUPABASE_SECRET_KEY": rest.secret_key}
        findings = {one.check.slug: one for one in examine(through)}
    assert findings["data_api"].outcome == "ok"


def test_a_test_push_rings_the_browser_that_was_here_last(stack: RingingStack) -> None:
    public_key = keys.load_or_make(stack.data / "keys.json").vapid_public_key
    browser = new_browser(stack.push_service, public_key=public_key)
    told = taskbell("doctor", "--env", stack.data / "dev.env", "--send-test")
    assert told.returncode == 1
    assert "✗ test push" in told.stdout, "nobody is subscribed"
    stack.sql("select public.taskbell_subscribe(id, %s::jsonb) from auth.users limit 1", json.dumps(browser))
    try:
        told = taskbell("doctor", "--env", stack.data / "dev.env", "--send-test")
        assert told.returncode == 0, told.stdout
        assert "accepted for Firefox on Linux" in told.stdout
        [push] = stack.push_service.wait_for(1)
        assert json.loads(push.payload or b"{}")["notification"]["data"]["kind"] == "test"
        stack.push_service.behave(browser["endpoint"], Behaviour(status=403))
        told = taskbell("doctor", "--env", stack.data / "dev.env", "--send-test")
        assert "✗ test push" in told.stdout
        assert "the push service refused us" in told.stdout
    finally:
        stack.sql("delete from taskbell.subscriptions where true")
        stack.sql("delete from taskbell.push_services where true")


def test_without_settings_it_says_where_to_get_them(tmp_path: Path) -> None:
    done = taskbell("doctor", "--env", tmp_path / "taskbell.env")
    assert (done.returncode, done.stdout) == (1, "")
    assert "name the settings of a deployment with --env FILE" in done.stderr
