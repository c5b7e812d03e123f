"""A sender that is not ours: pywebpush, the library that most of the world uses.

In: a VAPID key, a subscription, text. Out: the push service's answer. Touches: one HTTP request a push.
"""

from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid
from pywebpush import webpush

from tests.stand_ins.vapid_check import encode

SUBJECT = "mailto:tests@example.org"


class ReferenceSender:
    """Sends with a key of its own, or with one given as py-vapid reads it."""

    def __init__(self, private_key: str | None = None) -> None:
        if private_key:
            self._vapid = Vapid.from_string(private_key)
        else:
            self._vapid = Vapid()
            self._vapid.generate_keys()
        point = self._vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = encode(point)

    def send(self, subscription: dict[str, Any], text: str | None) -> int:
        """Send a push, without a body if the text is None, and return the answer's status."""
        response = webpush(
            subscription,
            text,
            vapid_private_key=self._vapid,
            vapid_claims={"sub": SUBJECT},
            ttl=60,
            timeout=10,
        )
        status: int = response.status_code
        return status
