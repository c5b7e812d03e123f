"""What surrounds every answer: security headers, CORS for the page's origin, errors as JSON only.

In: a Flask application. Out: the same with its hooks. Touches the log: one JSON line for a fault of ours,
with its place in the code and nothing of the request or the error's own words (they may hold data).
"""

import json
import logging
import traceback
import urllib.parse

import flask
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from taskbell.api.refusal import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    DATABASE_UNAVAILABLE,
    INTERNAL_ERROR,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    Refusal,
    Refused,
)
from taskbell.errors import GatewayError, RequestError

LARGEST_BODY_BYTES = 262_144

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
ALLOWED_HEADERS = "Authorization, Content-Type, If-None-Match, Prefer"
EXPOSED_HEADERS = "ETag, Preference-Applied, Retry-After"
PREFLIGHT_SECONDS = 600

_BY_STATUS = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED, 413: BODY_TOO_LARGE}
_LOG = logging.getLogger("taskbell.api")


def secure(app: flask.Flask, public_url: str) -> None:
    """Add the hooks to an application whose page is served from `public_url`."""
    # One more than is allowed: of a body without a length, Werkzeug reads so much and cuts off the rest.
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES + 1
    parts = urllib.parse.urlsplit(public_url)
    origin = f"{parts.scheme}://{parts.netloc}"

    @app.before_request
    def refuse_large_bodies() -> None:
        # Also where no route would read it.
        if (flask.request.content_length or 0) > LARGEST_BODY_BYTES:
            raise RequestEntityTooLarge

    @app.after_request
    def add_headers(response: flask.Response) -> flask.Response:
        if flask.request.method == "OPTIONS" and response.status_code == 200:
            response.status_code = 204
        if not response.content_length or response.status_code in (204, 304):
            response.headers.pop("Content-Type", None)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if parts.scheme == "https":
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        response.headers.setdefault("Cache-Control", "no-store")
        _add_cors(response, origin)
        return response

    app.register_error_handler(RequestError, _refused)
    app.register_error_handler(GatewayError, _database_failed)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)


def _add_cors(response: flask.Response, origin: str) -> None:
    """Let the page's origin, and no other, read answers (Fetch §3.2)."""
    response.headers.add("Vary", "Origin")
    if flask.request.headers.get("Origin") != origin:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if flask.request.method == "OPTIONS" and "Access-Control-Request-Method" in flask.request.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)


def _refused(error: RequestError) -> flask.Response:
    response = flask.Response(json.dumps(error.as_json()), error.status_code, mimetype="application/json")
    if isinstance(error, Refused):
        response.headers.update(error.headers)
    return response


def _refuse(refusal: Refusal) -> flask.Response:
    return _refused(Refused(refusal))


def _http_error(error: HTTPException) -> flask.Response:
    """Answer what Flask itself refuses: unknown paths, wrong methods, large or broken bodies."""
    status = error.code or 500
    refusal = _BY_STATUS.get(status) or (BAD_REQUEST if 400 <= status < 500 else INTERNAL_ERROR)
    response = _refuse(refusal)
    allow = dict(error.get_headers()).get("Allow")
    if allow:
        response.headers["Allow"] = allow
    return response


def _database_failed(error: GatewayError) -> flask.Response:
    if not error.temporary:
        return _fault(error)
    response = _refuse(DATABASE_UNAVAILABLE)
    response.headers["Retry-After"] = "2"
    return response


def _fault(error: Exception) -> flask.Response:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    route = flask.request.url_rule.rule if flask.request.url_rule else None
    where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    fields = {"route": route, "error": type(error).__name__, "where": where}
    if isinstance(error, GatewayError):
        fields |= {"reason": error.reason, "sqlstate": error.sqlstate}
    _LOG.error("api fault", extra={"fields": fields})
    return _refuse(INTERNAL_ERROR)
