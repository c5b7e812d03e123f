"""From a route to a Flask view: who is it, may they ask now, what do they say, what is the answer.

In: a Flask application and routes. Out: the application answering them. Touches what the routes touch.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import flask
from pydantic import TypeAdapter, ValidationError

from taskbell.api.auth import BAD_TOKEN_CHALLENGE, Authenticator
from taskbell.api.rate_limit import RateLimit, caller_address, retry_after
from taskbell.api.refusal import (
    BAD_BODY,
    BAD_JSON,
    BAD_PATH,
    BODY_TOO_LARGE,
    EXPIRED_TOKEN,
    TOO_MANY_REQUESTS,
    UNKNOWN_USER,
    Refused,
)
from taskbell.api.route import Access, Answer, Call, Route
from taskbell.api.security import LARGEST_BODY_BYTES
from taskbell.api.shapes import Asked, Id
from taskbell.errors import GatewayError
from taskbell.model import User

FOREIGN_KEY_VIOLATION = "23503"
JWT_REFUSED = ("PGRST301", "PGRST303")
"""PostgREST's own verdict on a token that we let pass a moment ago (PostgREST: Errors, group 3)."""

_ID: TypeAdapter[str] = TypeAdapter(Id)


@dataclass(frozen=True)
class Door:
    """What every request passes: authentication and the two rate limits."""

    authenticator: Authenticator
    users: RateLimit
    addresses: RateLimit


def serve(app: flask.Flask, routes: Iterable[Route[Any]], door: Door) -> None:
    """Register routes; a trailing slash makes no difference, doubled slashes lead nowhere."""
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    for route in routes:
        path = re.sub(r"{(\w+)}", r"<\1>", route.path)
        app.add_url_rule(path, f"{route.method} {route.path}", _view(route, door), methods=[route.method])


def _view(route: Route[Any], door: Door) -> Callable[..., flask.Response]:
    def view(**path: str) -> flask.Response:
        user = _admit(route, door)
        for value in path.values():
            _check_id(value)
        body = None if route.body is None else _parse(cast("type[Asked]", route.body))
        call: Call[Any] = Call(body=body, path=path, headers=flask.request.headers, verified_user=user)
        try:
            return _respond(route, route.handler(call))
        except GatewayError as error:
            # Rows of ours refer to auth.users; a token outlives its user by up to an hour.
            if user and error.sqlstate == FOREIGN_KEY_VIOLATION:
                raise Refused(UNKNOWN_USER) from error
            # It expired on the way, or the project's keys have just changed: a fresh one will do.
            if user and error.sqlstate in JWT_REFUSED:
                raise Refused(EXPIRED_TOKEN, headers=BAD_TOKEN_CHALLENGE) from error
            raise

    return view


def _admit(route: Route[Any], door: Door) -> User | None:
    if route.access is Access.PUBLIC:
        return None
    if route.access is Access.USER:
        user = door.authenticator.user(flask.request.headers.get("Authorization"))
        wait_seconds = door.users.take(user.id, route.cost)
    else:
        user = None
        forwarded = flask.request.headers.getlist("X-Forwarded-For")
        address = caller_address(flask.request.remote_addr, forwarded)
        wait_seconds = door.addresses.take(address, route.cost)
    if wait_seconds:
        raise Refused(TOO_MANY_REQUESTS, headers={"Retry-After": retry_after(wait_seconds)})
    return user


def _check_id(value: str) -> None:
    # Werkzeug turned bytes that are not UTF-8 into U+FFFD; no id holds that.
    try:
        _ID.validate_python(value)
    except ValidationError as error:
        raise Refused(BAD_PATH) from error
    if "\ufffd" in value:
        raise Refused(BAD_PATH)


def _parse(model: type[Asked]) -> Asked:
    """Return the body as a model; the sentence of a refusal names fields, never what was sent."""
    body = flask.request.get_data(cache=False)
    if len(body) > LARGEST_BODY_BYTES:
        raise Refused(BODY_TOO_LARGE)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        if problems[0]["type"] == "json_invalid":
            raise Refused(BAD_JSON) from error
        raise Refused(BAD_BODY, detail=_sentence(model, problems)) from error


def _sentence(model: type[Asked], problems: list[Any]) -> str:
    # Keys below the first level may be the caller's own (agents): they are not repeated.
    location = [str(part) for part in problems[0]["loc"][:1] if part in _field_names(model)]
    if not location:
        return "The body does not have the documented shape."
    return f"{location[0]}: {problems[0]['msg'].removeprefix('Value error, ')}"


def _field_names(model: type[Asked]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def _respond(route: Route[Any], answer: Answer) -> flask.Response:
    declared = route.answers[answer.status]
    if declared is None:
        response = flask.Response(status=answer.status)
    elif isinstance(answer.body, declared):
        body = answer.body.model_dump_json(by_alias=True)
        response = flask.Response(body, answer.status, mimetype="application/json")
    else:
        raise TypeError(f"{route.method} {route.path} answered {answer.status} with an undeclared body")
    response.headers["Cache-Control"] = route.cache_control
    response.headers.update(answer.headers)
    return response
