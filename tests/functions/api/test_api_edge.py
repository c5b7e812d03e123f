"""The edge: headers, CORS, methods, sizes, broken bodies, and what is said when the database is away."""

import http.client
import json
import logging
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import replace

import flask
import pytest

from taskbell.api import USER_BURST, USER_PER_SECOND, build_api
from taskbell.api.rate_limit import RateLimit
from taskbell.gateway.postgres import PostgresGateway
from taskbell.push import AllowedOrigins
from tests.functions.api.stage import Stage, reason, served
from tests.stand_ins.clock import Clock

PAGE = "https://bell.example"
PATHS = ["/v1/config", "/v1/inbox", "/v1/contacts", "/v1/nothing", "/healthz", "/v1/openapi.json"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_json_that_no_browser_will_run_or_frame(stage: Stage, path: str) -> None:
    _, browser = stage.someone()
    answer = browser.get(path)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    if path != "/v1/openapi.json":
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PATHS)
def test_the_page_may_read_answers_from_its_origin_and_no_other_page_may(stage: Stage, path: str) -> None:
    browser = stage.browser()
    ours = browser.get(path, headers={"Origin": PAGE})
    assert ours.headers["Access-Control-Allow-Origin"] == PAGE
    assert "ETag" in ours.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in ours.headers
    for origin in (
        "https://evil.example",
        "null",
        PAGE + ".evil.example",
        "http://bell.example",
        PAGE + ":8443",
    ):
        theirs = browser.get(path, headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in theirs.headers
        assert theirs.headers["Vary"] == "Origin"


def test_a_preflight_tells_what_the_page_may_send(stage: Stage) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = stage.browser().options("/v1/subscriptions/1", headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert {"PATCH", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    for header in ("Authorization", "Content-Type", "If-None-Match", "Prefer"):
        assert header in answer.headers["Access-Control-Allow-Headers"]
    theirs = stage.browser().options("/v1/inbox", headers=asked | {"Origin": "https://evil.example"})
    assert not [name for name in theirs.headers if name.lower().startswith("access-control")]


def test_an_unknown_path_and_a_wrong_method_say_so(stage: Stage) -> None:
    browser = stage.browser()
    for path in ("/", "/v1", "/v1/", "/v1/nothing", "//v1/inbox", "/v1//inbox", "/v1/inbox/x", "/V1/INBOX"):
        for method in ("GET", "POST", "OPTIONS", "DELETE"):
            assert reason(browser.request(method, path)) == (404, "not_found")
    answer = browser.post("/v1/inbox")
    assert reason(answer) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    for method in ("TRACE", "PROPFIND", "BREW"):
        assert reason(browser.request(method, "/v1/inbox")) == (405, "method_not_allowed")


def test_a_trailing_slash_makes_no_difference(stage: Stage) -> None:
    _, browser = stage.someone()
    for path in ("/v1/inbox", "/v1/contacts", "/healthz"):
        assert browser.get(path + "/").status_code == 200


def test_a_head_request_has_the_headers_of_a_get_and_no_body(stage: Stage) -> None:
    _, browser = stage.someone()
    for path in ("/v1/config", "/v1/contacts", "/v1/subscriptions", "/healthz"):
        get, head = browser.get(path), browser.head(path)
        assert (get.status_code, b"") == (head.status_code, head.content)
        assert get.headers["Content-Length"] == head.headers["Content-Length"]


@pytest.mark.parametrize(
    "path", ["/v1/inbox", "/v1/contacts", "/v1/subscriptions", "/v1/preferences", "/v1/contacts/1"]
)
def test_without_a_token_there_is_nothing_to_see(stage: Stage, path: str) -> None:
    answer = stage.browser().get(path)
    assert reason(answer) == (401, "no_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    expired = stage.browser(stage.rows.user(), exp=1).get(path)
    assert reason(expired) == (401, "expired_token")


def test_a_service_role_token_is_no_user(stage: Stage) -> None:
    browser = stage.browser(stage.rows.user(), role="service_role")
    assert reason(browser.get("/v1/inbox")) == (401, "bad_token")


def raw(stage: Stage, method: str, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(stage.url).netloc, timeout=40)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"\xff\xfe",
        b'{"name": "\xff"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"{}{}",
        b"NaN",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"<html>",
        "{}".encode("utf-16"),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_json_in_utf_8_is_refused(stage: Stage, body: bytes) -> None:
    token = stage.issuer.token(stage.rows.user())
    status, answer = raw(stage, "PUT", "/v1/subscriptions", body, Authorization=f"Bearer {token}")
    assert (status, json.loads(answer)["error"]["reason"]) in {(400, "bad_json"), (422, "bad_body")}


def test_more_than_256_kilobytes_are_refused_on_every_route(stage: Stage) -> None:
    _, browser = stage.someone()
    large = b'{"digest": true, "x": "' + b"x" * 262_144 + b'"}'
    for method, path in (
        ("PATCH", "/v1/preferences"),
        ("POST", "/v1/receipts"),
        ("GET", "/v1/inbox"),
        ("POST", "/v1/contacts/1/seen"),
        ("POST", "/v1/nothing"),
    ):
        status = browser.request(method, path, content=large).status_code
        assert status in ({404, 413} if path == "/v1/nothing" else {413})
    just_fits = b'{"x": "' + b"x" * (262_144 - 9) + b'"}'
    assert len(just_fits) == 262_144
    assert browser.patch("/v1/preferences", content=just_fits).status_code == 200


def test_a_body_of_unknown_length_has_the_same_limit(stage: Stage) -> None:
    _, browser = stage.someone()
    chunks = (b"x" * 4096 for _ in range(100))
    assert reason(browser.patch("/v1/preferences", content=chunks)) == (413, "body_too_large")
    small = iter([b'{"language"', b': "de"}'])
    assert browser.patch("/v1/preferences", content=small).json()["language"] == "de"


def test_a_wrong_content_length_is_refused(stage: Stage) -> None:
    token = stage.issuer.token(stage.rows.user())
    for length in ("-1", "many", "1e3"):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(stage.url).netloc, timeout=40)
        connection.putrequest("PATCH", "/v1/preferences")
        connection.putheader("Authorization", f"Bearer {token}")
        connection.putheader("Content-Length", length)
        connection.endheaders()
        status = connection.getresponse().status
        connection.close()
        assert 400 <= status < 500


def test_a_user_who_asks_too_often_is_told_when_to_come_back(stage_with: Callable[..., Stage]) -> None:
    stopped = Clock(0.0)
    stage = stage_with(users=RateLimit(burst=USER_BURST, per_second=USER_PER_SECOND, now=stopped))
    _, loud = stage.someone()
    _, quiet = stage.someone()
    *taken, refused = [loud.get("/v1/preferences") for _ in range(int(USER_BURST) + 1)]
    assert {200} == {answer.status_code for answer in taken}
    assert reason(refused) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) >= 1
    assert quiet.get("/v1/inbox").status_code == 200


def test_the_configuration_is_public_and_holds_no_secret(stage: Stage) -> None:
    expected = {
        "vapid_public_key": stage.vapid.public_key,
        "supabase_url": stage.issuer.project_url,
        "supabase_publishable_key": "sb_publishable_x",
        "poll_interval_seconds": 5,
        "can_hold": True,
        "demo_token": None,
    }
    assert expected == stage.browser().get("/v1/config").json()


def test_health_tells_what_is_there_and_no_value(stage: Stage) -> None:
    answer = stage.browser().get("/healthz")
    body = answer.json()
    assert (answer.status_code, body["ok"], body["database"]) == (200, True, True)
    assert body["keys"] == {"vapid": True, "webhook": True}
    assert body["migration"]
    for secret in (*stage.settings.vapid_private_keys, *stage.settings.webhook_secrets):
        assert secret not in answer.text


@pytest.fixture
def broken(stage: Stage) -> Iterator[Callable[..., flask.Flask]]:
    """Build an API whose parts are not there."""
    gateways = []

    def build(database_url: str, **settings: str) -> flask.Flask:
        gateways.append(PostgresGateway(database_url))
        return build_api(
            replace(stage.settings, **settings),  # type: ignore[arg-type]
            gateways[-1],
            vapid=stage.vapid,
            allowed_origins=AllowedOrigins(),
            ring_test=lambda _user_id, _subscription_id: None,
            verify_receipt=lambda _token: None,
        )

    yield build
    for gateway in gateways:
        gateway.close()


def test_without_a_database_it_says_try_again(
    stage: Stage, broken: Callable[..., flask.Flask], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "psycopg.pool")
    token = stage.issuer.token(stage.rows.user())
    with served(broken("postgresql://nobody:secret@127.0.0.1:1/none")) as url:
        browser = stage.browser()
        answer = browser.get(f"{url}/v1/inbox", headers={"Authorization": f"Bearer {token}"})
        assert reason(answer) == (503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        assert "secret" not in answer.text
        health = browser.get(f"{url}/healthz")
        assert (health.status_code, health.json()["ok"], health.json()["database"]) == (503, False, False)
        assert browser.get(f"{url}/v1/config").status_code == 200


def test_without_the_keys_of_the_project_nobody_is_let_in(
    stage: Stage, broken: Callable[..., flask.Flask]
) -> None:
    token = stage.issuer.token(stage.rows.user())
    client = broken(stage.settings.database_url or "", supabase_url="http://127.0.0.1:1").test_client()
    answer = client.get("/v1/inbox", headers={"Authorization": f"Bearer {token}"})
    assert answer.json is not None
    assert (answer.status_code, answer.json["error"]["reason"]) == (503, "keys_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_fault_of_ours_shows_no_traceback_and_logs_no_data(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that answers what nobody expected: here, an inbox function of another version."""
    user_id, browser = stage.someone()
    stage.rows.execute("alter function public.taskbell_contacts() rename to hidden")
    stage.rows.execute(
        "create function public.taskbell_contacts() returns jsonb language sql as $$"
        ' select \'{"contacts": [{"name": "secret name"}]}\'::jsonb $$'
    )
    stage.rows.execute("grant execute on function public.taskbell_contacts() to authenticated")
    try:
        answer = browser.get("/v1/contacts")
    finally:
        stage.rows.execute("drop function public.taskbell_contacts()")
        stage.rows.execute("alter function public.hidden() rename to taskbell_contacts")
    assert reason(answer) == (500, "internal_error")
    [line] = [record for record in caplog.records if record.name == "taskbell.api"]
    assert line.fields["error"] == "ValidationError"  # type: ignore[attr-defined]
    for text in (answer.text, caplog.text, str(line.__dict__)):
        assert "secret name" not in text
        assert user_id not in text
    assert "Traceback" not in answer.text + caplog.text
