"""What the strictest push service would answer to a request, and what the browser would read in it.

In: a request and the subscription it is for. Out: an answer, the plaintext. Touches: nothing.
The rules are the union of FCM's, Mozilla's, WNS's and Apple's, so that what passes here passes everywhere.
"""

import base64
import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.stand_ins.vapid_check import check_vapid, decode

LONGEST_TTL_SECONDS = 30 * 24 * 3600
LARGEST_BODY_BYTES = 4096


@dataclass(frozen=True)
class Request:
    """What a client sent; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    http_version: str


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @classmethod
    def refusing(cls, status: int, reason: str) -> "Answer":
        """Refuse the way Apple does: with a reason in JSON."""
        return cls(status, (("content-type", "application/json"),), json.dumps({"reason": reason}).encode())


@dataclass(frozen=True)
class BrowserKeys:
    """The secret half of a subscription, which only a browser has."""

    private_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def point(self) -> bytes:
        """The public key as an uncompressed point."""
        return self.private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def public_keys(self) -> dict[str, str]:
        """Return what `PushSubscription.toJSON().keys` holds."""
        return {"p256dh": _base64url(self.point), "auth": _base64url(self.auth)}

    def decrypt(self, body: bytes) -> bytes:
        """Decrypt an aes128gcm body of one record, step by step after RFC 8291 § 3.4 and RFC 8188 § 2."""
        salt, record_size, key_length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender_point, record = body[21 : 21 + key_length], body[21 + key_length :]
        if key_length != 65 or not 17 < len(record) <= record_size:
            raise ValueError("not one record for one P-256 key")
        sender_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender_point)
        shared = self.private_key.exchange(ec.ECDH(), sender_key)
        key_info = b"WebPush: info\0" + self.point + sender_point
        input_key = _hkdf(self.auth, shared, key_info, 32)
        content_key = _hkdf(salt, input_key, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _hkdf(salt, input_key, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(content_key).decrypt(nonce, record, None).rstrip(b"\0")
        if not padded.endswith(b"\2"):
            raise ValueError("the last record must end with the delimiter 2")
        return padded[:-1]


def judge(request: Request, *, origin: str, vapid_public_key: str | None) -> Answer:
    """Answer as the strictest push service would, 201 or a refusal.

    `vapid_public_key` is the key that the browser subscribed with; None accepts every key.
    """
    headers = request.headers
    key = decode(vapid_public_key) if vapid_public_key else None
    if refusal := check_vapid(headers.get("authorization"), audience=origin, public_key=key):
        return Answer.refusing(refusal.status, "BadJwtToken")
    ttl = headers.get("ttl", "")
    if not re.fullmatch(r"[0-9]{1,7}", ttl) or int(ttl) > LONGEST_TTL_SECONDS:
        return Answer.refusing(400, "BadTtl")
    if headers.get("urgency", "normal") not in ("very-low", "low", "normal", "high"):
        return Answer.refusing(400, "BadUrgency")
    topic = headers.get("topic")
    # Apple refuses what cannot be whole base64: a length of 1 modulo 4.
    if topic is not None and (not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", topic) or len(topic) % 4 == 1):
        return Answer.refusing(400, "BadWebPushTopic")
    if request.method != "POST" or headers.get("content-encoding") != "aes128gcm":
        return Answer.refusing(400, "BadContentEncoding")
    if len(request.body) > LARGEST_BODY_BYTES:
        return Answer.refusing(413, "PayloadTooLarge")
    return Answer(201, (("location", f"{origin}/messages/{hashlib.sha256(request.body).hexdigest()[:16]}"),))


def _hkdf(salt: bytes, key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 for at most 32 bytes (RFC 5869)."""
    extracted = hmac.digest(salt, key, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")[:length]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
