"""Tells push services who sends: VAPID tokens, signed once per origin and key, and reused.

In: private keys, a contact address, a clock. Out: Authorization headers. Touches: the clock it was given.
Source: RFC 8292.
"""

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from taskbell.push.refusal import NoMatchingVapidKey, VapidKeyRefused

EXPIRY_SECONDS = 12 * 3600  # RFC 8292 § 2 allows 24 h; a clock that is some hours wrong must not matter
RENEWAL_SECONDS = 3600  # Apple: use one token for no longer than an hour, nor renew it for every message
LARGEST_CACHE = 1000  # origins below a wildcard can be made up at will


class Vapid:
    """Our identity towards push services: private keys side by side, the newest last."""

    def __init__(
        self, private_keys: tuple[str, ...], subject: str, now: Callable[[], float] = time.time
    ) -> None:
        """Take private keys as base64url of the 32-byte scalar or of the DER; read them when first needed.

        `subject` is a `mailto:` or `https:` URL; `now` returns seconds since 1970.
        """
        self._private_keys = private_keys
        self._subject = subject
        self._now = now
        self._tokens: dict[tuple[str, str], tuple[float, str]] = {}

    @property
    def public_key(self) -> str:
        """The newest public key, which browsers subscribe with: the uncompressed point in base64url.

        Raises VapidKeyRefused if a private key cannot be read.
        """
        return next(reversed(self._keys))

    def authorization(self, origin: str, public_key: str) -> str:
        """Return `vapid t=…, k=…` for a push service, signed with the key the subscription was made with.

        Raises NoMatchingVapidKey if that key is not one of ours, VapidKeyRefused if one of ours cannot be
        read.
        """
        public_key = public_key.rstrip("=")
        now = self._now()
        signed_at, header = self._tokens.get((origin, public_key), (float("-inf"), ""))
        if 0 <= now - signed_at < RENEWAL_SECONDS:
            return header
        header = self._sign(origin, public_key, now)
        if len(self._tokens) >= LARGEST_CACHE:
            self._tokens.clear()
        self._tokens[origin, public_key] = (now, header)
        return header

    def _sign(self, origin: str, public_key: str, now: float) -> str:
        key = self._keys.get(public_key)
        if key is None:
            raise NoMatchingVapidKey("the subscription was made with a VAPID key that is not configured")
        claims = {"aud": origin, "exp": int(now) + EXPIRY_SECONDS, "sub": self._subject}
        header: str = key.sign(claims)["Authorization"]
        return header.replace(",k=", ", k=")

    @cached_property
    def _keys(self) -> dict[str, Any]:
        return dict(_read_key(text) for text in self._private_keys)


def _read_key(text: str) -> tuple[str, Any]:
    """Return the public key and py-vapid's object for one private key."""
    # Here and not above: 30 ms that the cold start need not pay.
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from py_vapid import Vapid02
    from py_vapid.utils import b64urlencode

    try:
        key = Vapid02.from_string(text.strip().rstrip("="))
        point = key.public_key
    except (ValueError, TypeError):
        # Without the cause, which may quote the key.
        raise VapidKeyRefused("a VAPID private key is neither 32 bytes nor DER in base64url") from None
    if not isinstance(point, ec.EllipticCurvePublicKey) or not isinstance(point.curve, ec.SECP256R1):
        raise VapidKeyRefused("a VAPID private key is not on the curve P-256")
    key.conf["no-strict"] = (
        True  # the subject is judged where settings are read, and not by a narrower rule here
    )
    return b64urlencode(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)), key
