"""Tokens with which a service worker, which has no session, reports what became of its notification.

In: a delivery's id and the webhook secrets. Out: a token, or the id that a token was made for. Pure.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from functools import lru_cache

_TOKEN = re.compile(r"([1-9][0-9]{0,18})\.([A-Za-z0-9_-]{22})")


def receipt_token(delivery_id: int, secrets: Sequence[str]) -> str:
    """Return `<delivery_id>.<22 base64url characters>`, made with the newest of `secrets` (the last)."""
    return f"{delivery_id}.{_mac(delivery_id, secrets[-1])}"


def verify_receipt(token: str, secrets: Sequence[str]) -> int | None:
    """Return the delivery's id if the token was made with any of `secrets`, else None."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    delivery_id = int(match[1])
    good = [hmac.compare_digest(match[2], _mac(delivery_id, secret)) for secret in secrets]
    return delivery_id if any(good) else None


def _mac(delivery_id: int, secret: str) -> str:
    mac = hmac.digest(_key(secret), f"receipt:{delivery_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac[:16]).rstrip(b"=").decode()


@lru_cache(maxsize=16)
def _key(secret: str) -> bytes:
    """Return a key of its own, so that no token can ever pass for a webhook's signature."""
    return hmac.digest(secret.encode(), b"taskbell receipt key", "sha256")
