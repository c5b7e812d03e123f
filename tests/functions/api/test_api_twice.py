"""A gateway asks twice when a connection breaks under it; whatever a page asked for happens once."""

from __future__ import annotations

from collections.abc import Mapping

import flask
import pytest

from taskbell.api import build_api
from taskbell.model import Json
from taskbell.push import AllowedOrigins
from tests.functions.api.stage import Stage
from tests.functions.intercepted import Ask, Intercepted


def asked_twice(_name: str, _params: Mapping[str, Json], ask: Ask) -> Json:
    """Lose the first answer to everything, so that the gateway asks again."""
    ask()
    return ask()


@pytest.fixture
def app(stage: Stage) -> flask.Flask:
    """The stage's API over a gateway that asks everything twice."""
    return build_api(
        stage.settings,
        Intercepted(stage.gateway, asked_twice),
        vapid=stage.vapid,
        allowed_origins=AllowedOrigins(()),
        ring_test=lambda *_: None,
        verify_receipt=lambda _: None,
    )


def test_a_task_is_assigned_once(stage: Stage, app: flask.Flask) -> None:
    user_id = stage.rows.user()
    asked = {"contact_id": stage.rows.contact(user_id), "agent_id": stage.rows.agent()}
    headers = {"Authorization": f"Bearer {stage.issuer.token(user_id)}"}
    answer = app.test_client().post("/v1/tasks", json=asked, headers=headers)
    assert (answer.status_code, answer.json) == (
        201,
        {"task_id": stage.rows.value("select id::text from agent_tasks where user_id = %s", user_id)},
    )


def test_two_tasks_that_were_meant_are_two(stage: Stage, app: flask.Flask) -> None:
    user_id = stage.rows.user()
    asked = {"contact_id": stage.rows.contact(user_id), "agent_id": stage.rows.agent()}
    headers = {"Authorization": f"Bearer {stage.issuer.token(user_id)}"}
    for _ in range(2):
        assert app.test_client().post("/v1/tasks", json=asked, headers=headers).status_code == 201
    assert stage.rows.value("select count(*) from agent_tasks where user_id = %s", user_id) == 2


def test_a_browser_subscribes_once(stage: Stage, app: flask.Flask) -> None:
    user_id = stage.rows.user()
    headers = {"Authorization": f"Bearer {stage.issuer.token(user_id)}"}
    answer = app.test_client().put("/v1/subscriptions", json=stage.subscription(), headers=headers)
    assert answer.status_code == 200
    assert stage.rows.value("select count(*) from taskbell.subscriptions where user_id = %s", user_id) == 1
