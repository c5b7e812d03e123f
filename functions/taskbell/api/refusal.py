"""What the API says no with: one value for each refusal, one exception that carries it.

In: nothing. Out: values that routes declare and handlers raise, so that the OpenAPI document lists
exactly what can happen. Touches nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from taskbell.errors import RequestError

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Refusal:
    """One way of saying no: an HTTP status, a stable slug and a sentence for people."""

    status: int
    reason: str
    message: str


class Refused(RequestError):  # noqa: N818  # reads as what happened: raise Refused(BAD_JSON)
    """A request is answered with a refusal.

    `detail` replaces the refusal's sentence; it must hold nothing of the request but names of fields.
    """

    def __init__(
        self, refusal: Refusal, detail: str | None = None, headers: Mapping[str, str] = _NO_HEADERS
    ) -> None:
        super().__init__(refusal.reason, detail or refusal.message)
        self.status_code = refusal.status
        self.headers = headers


# Any route.
BAD_REQUEST = Refusal(400, "bad_request", "This request cannot be understood.")
BAD_PATH = Refusal(400, "bad_path", "An id in the path is empty, too long or holds control characters.")
NOT_FOUND = Refusal(404, "not_found", "There is nothing at this path.")
METHOD_NOT_ALLOWED = Refusal(405, "method_not_allowed", "This path does not answer to that method.")
BODY_TOO_LARGE = Refusal(413, "body_too_large", "The body is larger than 256 KB.")
TOO_MANY_REQUESTS = Refusal(429, "too_many_requests", "Too many requests; wait as long as Retry-After says.")
INTERNAL_ERROR = Refusal(500, "internal_error", "Something went wrong here; it has been logged.")
DATABASE_UNAVAILABLE = Refusal(503, "database_unavailable", "The database cannot be reached just now.")

# Routes of a user.
NO_TOKEN = Refusal(401, "no_token", "Send a Supabase access token: Authorization: Bearer <token>.")
BAD_TOKEN = Refusal(401, "bad_token", "The access token is not one that this project issued.")
EXPIRED_TOKEN = Refusal(401, "expired_token", "The access token has expired; refresh the session.")
UNKNOWN_USER = Refusal(401, "unknown_user", "The account that this token was issued to is gone.")
KEYS_UNAVAILABLE = Refusal(503, "keys_unavailable", "The keys that verify tokens cannot be fetched just now.")

# Routes that take a body.
BAD_JSON = Refusal(400, "bad_json", "The body is not JSON in UTF-8.")
BAD_BODY = Refusal(422, "bad_body", "The body does not have the documented shape.")
