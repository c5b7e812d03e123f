"""Who sent this? Checks a webhook's raw bytes before anything reads them.

In: headers, the body's bytes, our secrets (oldest first), the time. Out: nothing, or `Unauthorized`. No I/O.

Two ways to vouch for a body, with the same secrets:
 - Standard Webhooks (github.com/standard-webhooks, spec v1): `webhook-id`, `webhook-timestamp`,
   `webhook-signature`. Our triggers and our clock sign so.
 - `x-taskbell-secret`, the secret itself: the dashboard's webhooks can send a fixed header, and no more.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Protocol

from taskbell.errors import Unauthorized

TOLERANCE_SECONDS = 300
"""How far a signature's timestamp may be from now, either way; the edge itself is still good."""

MAX_SIGNATURES = 16
"""How many signatures of one header are looked at; a sender that rotates its secret sends two."""


class Headers(Protocol):
    """Headers by name; whether letters are small or capital makes no difference."""

    def get(self, name: str, /) -> str | None:
        """Return a header's value, or None."""
        ...


_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def verify(headers: Headers, body: bytes, *, secrets: Sequence[str], now: float) -> None:
    """Accept `body` (the bytes as received) or raise Unauthorized.

    `secrets` are `whsec_…` strings of which any one may vouch, `now`
    is Unix time in seconds. Reasons: `no_signature`, `stale_signature`, `bad_signature`.
    """
    shown = headers.get("x-taskbell-secret")
    if shown is not None:
        if not _any_equal([shown], [secret.encode() for secret in secrets]):
            raise Unauthorized("bad_signature", "The secret in x-taskbell-secret is not one of ours.")
        return
    message_id = headers.get("webhook-id")
    timestamp = headers.get("webhook-timestamp")
    signatures = headers.get("webhook-signature")
    if not (message_id and timestamp and signatures):
        raise Unauthorized("no_signature", "Sign the request with webhook-id, -timestamp and -signature.")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Unauthorized("bad_signature", "The header webhook-timestamp is not in Unix seconds.")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise Unauthorized("stale_signature", "The signature is more than 5 minutes away from our clock.")
    signed = b".".join([message_id.encode("utf-8", "replace"), timestamp.encode(), body])
    versions = (signature.split(",", 1) for signature in signatures.split(" ")[:MAX_SIGNATURES])
    shown_v1 = [version[1] for version in versions if len(version) == 2 and version[0] == "v1"]
    if not _any_equal(shown_v1, [_sign(signed, secret) for secret in secrets]):
        raise Unauthorized("bad_signature", "The signature was not made with a secret of ours.")


def is_signed(headers: Headers) -> bool:
    """Tell whether somebody vouches for the body in one of these two ways, rightly or not."""
    return any(headers.get(name) is not None for name in ("x-taskbell-secret", "webhook-signature"))


def sign(message_id: str, timestamp: int, body: bytes, secret: str) -> str:
    """Return the header webhook-signature for `body`; `timestamp` is Unix time in whole seconds."""
    return "v1," + _sign(b".".join([message_id.encode(), str(timestamp).encode(), body]), secret).decode()


def _sign(signed: bytes, secret: str) -> bytes:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256))


def _any_equal(shown: Sequence[str], expected: Sequence[bytes]) -> bool:
    """Compare each with each, in a time that does not tell which were nearly right."""
    pairs = [(one.encode("utf-8", "replace"), other) for one in shown for other in expected]
    return any([hmac.compare_digest(one, other) for one, other in pairs])  # noqa: C419  no early end
