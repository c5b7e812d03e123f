"""Errors of the whole program.

Every exception raised on purpose is a `TaskbellError` and carries a stable `reason`: a slug that callers,
logs and tests may rely on. Its message is one sentence for a person and never holds a secret, a key, an
endpoint or a body. A failed delivery is no exception: it is an `Outcome` (see `taskbell.model`).
"""

# ruff: noqa: N818  the HTTP ones are named after their status, as RFC 9110 names it

from typing import Any


class TaskbellError(Exception):
    """The base of all errors raised on purpose; `reason` is a stable slug."""

    reason: str

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class SettingsError(TaskbellError):
    """A setting is missing or malformed; the message says how to get a good one."""

    def __init__(self, message: str, *, reason: str = "bad_settings") -> None:
        super().__init__(reason, message)


class GatewayError(TaskbellError):
    """The database did not do what was asked.

    `reason` is `database_unavailable` (nobody answered in time: asking again later may help) or
    `database_refused` (it answered with an error: the same question gets the same answer).
    `sqlstate` is Postgres's or PostgREST's code, if one came.
    """

    def __init__(self, reason: str, message: str, *, sqlstate: str | None = None) -> None:
        super().__init__(reason, message)
        self.sqlstate = sqlstate

    @property
    def temporary(self) -> bool:
        """Whether asking again later may help."""
        return self.reason == "database_unavailable"


class RequestError(TaskbellError):
    """A request that is answered with an HTTP error; `status_code` is the class's."""

    status_code: int = 500

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer: `{"error": {"reason", "message"}}`."""
        return {"error": {"reason": self.reason, "message": self.message}}


class BadRequest(RequestError):
    """400: the bytes are not what the route reads."""

    status_code = 400


class Unauthorized(RequestError):
    """401: nobody vouches for the caller."""

    status_code = 401


class MethodNotAllowed(RequestError):
    """405: the path exists, not with this method."""

    status_code = 405


class BodyTooLarge(RequestError):
    """413: the body is over the limit."""

    status_code = 413


class Unprocessable(RequestError):
    """422: readable, but of the wrong shape or for the wrong table."""

    status_code = 422


class Unavailable(RequestError):
    """503: something behind us does not answer; nothing is lost."""

    status_code = 503
