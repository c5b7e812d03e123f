"""Who is asking: a Supabase access token becomes a user, or a refusal.

In: the Authorization header. Out: `User` (id, token, claims). Touches only the key set it was given.
Rules: RFC 7519, RFC 8725 §3.1 (the algorithm comes from the key, never from the token), RFC 6750 §2.1.
"""

import math
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from jwt import PyJWK

from taskbell.api.jwks import KeySet, KeysUnavailable
from taskbell.api.refusal import BAD_TOKEN, EXPIRED_TOKEN, KEYS_UNAVAILABLE, NO_TOKEN, Refused
from taskbell.model import User

AUDIENCE = "authenticated"
ROLE = "authenticated"
# Clocks of two machines, and `iat` in whole seconds.
LEEWAY_SECONDS = 10.0
LARGEST_TOKEN_CHARACTERS = 8_192
MOST_REMEMBERED_TOKENS = 2_000  # about 3 KB each
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="taskbell"'}
BAD_TOKEN_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="taskbell", error="invalid_token"'}

# Times are checked here, against the injected clock.
_DECODE_OPTIONS: Any = {
    "require": ["exp", "iss", "aud", "sub"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class Authenticator:
    """Verifies Supabase access tokens of one issuer.

    Anonymous users (claim `is_anonymous`) are users: they have an id and may do anything with what is
    theirs. What they may not do, row level security and the claims in the token decide.
    """

    def __init__(self, issuer: str, keys: KeySet, *, now: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._keys = keys
        self._now = now
        self._lock = threading.Lock()
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    def user(self, authorization: str | None) -> User:
        """Return the user of an Authorization header; raises Refused with 401, or 503 without keys."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Refused(NO_TOKEN, headers=CHALLENGE)
        claims = self._claims(token)
        self._check_times(claims)
        return User(id=_user_id(claims), token=token, claims=claims)

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LARGEST_TOKEN_CHARACTERS or not token.isascii():
            raise _bad_token()
        try:
            if (claims := self._verified_before(token)) is not None:
                return claims
            header = jwt.get_unverified_header(token)
            key_id = header.get("kid")
            # `crit` names extensions that must be understood (RFC 7515 §4.1.11); we understand none.
            if not isinstance(key_id, str) or "crit" in header:
                raise _bad_token()
            key = self._keys.key(key_id)
            if key is None:
                raise _bad_token()
            claims = jwt.decode(
                token,
                key=key,
                algorithms=[key.algorithm_name],
                audience=AUDIENCE,
                issuer=self._issuer,
                options=_DECODE_OPTIONS,
            )
        except KeysUnavailable as error:
            raise Refused(KEYS_UNAVAILABLE, headers={"Retry-After": "5"}) from error
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise _bad_token() from error
        self._remember(token, _Verified(key_id, key, claims))
        return claims

    def _verified_before(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token whose signature was verified with a key that the issuer still has.

        A page sends the same token every few seconds for an hour. Its times are checked each time.
        """
        with self._lock:
            before = self._verified.get(token)
        return before.claims if before and self._keys.key(before.key_id) is before.key else None

    def _remember(self, token: str, verified: "_Verified") -> None:
        with self._lock:
            self._verified[token] = verified
            if len(self._verified) > MOST_REMEMBERED_TOKENS:
                self._verified.popitem(last=False)

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._now()
        if now >= _seconds(claims["exp"]) + LEEWAY_SECONDS:
            raise Refused(EXPIRED_TOKEN, headers=BAD_TOKEN_CHALLENGE)
        for claim in ("nbf", "iat"):
            if claim in claims and _seconds(claims[claim]) > now + LEEWAY_SECONDS:
                raise _bad_token()


@dataclass(frozen=True)
class _Verified:
    key_id: str
    key: PyJWK
    claims: dict[str, Any]


def _bad_token() -> Refused:
    return Refused(BAD_TOKEN, headers=BAD_TOKEN_CHALLENGE)


def _seconds(value: object) -> float:
    """Return a NumericDate (RFC 7519 §2) as seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _bad_token()
    return float(value)


def _user_id(claims: Mapping[str, Any]) -> str:
    if claims.get("role") != ROLE:
        raise _bad_token()
    try:
        return str(uuid.UUID(claims["sub"]))
    except (ValueError, TypeError, AttributeError) as error:
        raise _bad_token() from error
