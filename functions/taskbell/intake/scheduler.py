"""Is it our scheduler that calls? Checks the OpenID Connect token that Cloud Scheduler sends.

In: the header Authorization. Out: nothing, or `Unauthorized`. Touches only the keys that it was given.

A Cloud Run service that has IAM check its callers is handed the token without its signature (in its place
stands SIGNATURE_REMOVED_BY_GOOGLE), so that nobody behind it can tell a real one from one that somebody made
up. We believe signed tokens only: the sweep is shut to the Internet by its ingress, and checks who calls.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskbell.errors import Unauthorized

if TYPE_CHECKING:
    from jwt import PyJWK

GOOGLE = "https://accounts.google.com"
GOOGLE_KEYS = "https://www.googleapis.com/oauth2/v3/certs"
ALGORITHM = "RS256"
LEEWAY_SECONDS = 10.0
"""Clocks of two machines, and times in whole seconds."""
LARGEST_TOKEN_CHARACTERS = 8_192
SIGNATURE_REMOVED = ".SIGNATURE_REMOVED_BY_GOOGLE"

# Times are checked here, against the injected clock.
_OPTIONS: Any = {
    "require": ["exp", "iat", "iss", "aud", "email"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "strict_aud": True,
}


@dataclass(frozen=True)
class Scheduler:
    """Believes tokens of one service account, made for one audience (OpenID Connect Core §3.1.3.7).

    `key` finds a public key by its id; it may raise Unavailable.
    """

    account: str
    audience: str
    key: "Callable[[str], PyJWK | None]"
    issuer: str = GOOGLE
    now: Callable[[], float] = time.time

    def verify(self, authorization: str) -> None:
        """Accept the header or raise Unauthorized: `bad_token`, `expired_token`, `unsigned_token`."""
        import jwt

        scheme, _, token = authorization.strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or len(token) > LARGEST_TOKEN_CHARACTERS or not token.isascii():
            raise _bad_token()
        if token.endswith(SIGNATURE_REMOVED):
            raise Unauthorized(
                "unsigned_token",
                "The platform took the token's signature away: switch its own check of callers off.",
            )
        try:
            self._check(self._claims(token))
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise _bad_token() from error

    def _claims(self, token: str) -> Mapping[str, Any]:
        import jwt

        header = jwt.get_unverified_header(token)
        key_id = header.get("kid")
        # `crit` names extensions that must be understood (RFC 7515 §4.1.11); we understand none.
        key = self.key(key_id) if isinstance(key_id, str) and "crit" not in header else None
        if key is None or key.algorithm_name != ALGORITHM:
            raise _bad_token()
        claims: Mapping[str, Any] = jwt.decode(
            token, key, [ALGORITHM], audience=self.audience, issuer=self.issuer, options=_OPTIONS
        )
        return claims

    def _check(self, claims: Mapping[str, Any]) -> None:
        now = self.now()
        if now >= _seconds(claims["exp"]) + LEEWAY_SECONDS:
            raise Unauthorized("expired_token", "The scheduler's token has expired.")
        begins = max(_seconds(claims["iat"]), _seconds(claims.get("nbf", 0)))
        is_ours = claims["email"] == self.account and claims.get("email_verified") is True
        if begins > now + LEEWAY_SECONDS or not is_ours:
            raise _bad_token()


def _seconds(value: object) -> float:
    """Return a NumericDate (RFC 7519 §2) as seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _bad_token()
    return float(value)


def _bad_token() -> Unauthorized:
    return Unauthorized("bad_token", "This is no token of the scheduler that may call here.")
