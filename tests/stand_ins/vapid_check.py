"""The checks that a strict push service makes of a sender's Authorization header.

In: the header, the origin it must be meant for, the subscription's key. Out: None or a refusal.
Touches: nothing.
Source: RFC 8292, and the stricter readings of Mozilla's and Apple's push services.
"""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

LONGEST_LIFE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Refusal:
    """An HTTP answer other than success."""

    status: int
    message: str


def decode(text: str) -> bytes:
    """Decode base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def check_vapid(authorization: str | None, *, audience: str, public_key: bytes | None) -> Refusal | None:
    """Check `vapid t=<token>, k=<key>` against an origin and the key that the browser subscribed with.

    `public_key` is an uncompressed P-256 point; None accepts every key.
    """
    scheme, _, rest = (authorization or "").partition(" ")
    if scheme.lower() != "vapid":
        return Refusal(401, "no VAPID authorization")
    try:
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        key = decode(fields["k"])
        claims = _verified_claims(fields["t"], key)
    except (InvalidSignature, KeyError, TypeError, ValueError) as error:
        return Refusal(403, f"bad VAPID token: {type(error).__name__}")
    if public_key not in (None, key):
        return Refusal(403, "the VAPID key is not the one of the subscription")
    return _check_claims(claims, audience)


def _verified_claims(token: str, key: bytes) -> dict[str, Any]:
    header, claims, signature = token.split(".")
    if json.loads(decode(header)).get("alg") != "ES256":
        raise ValueError("not ES256")
    raw = decode(signature)
    if len(raw) != 64:
        raise ValueError("not a raw P-256 signature")
    der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    point.verify(der, f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    return dict(json.loads(decode(claims)))


def _check_claims(claims: dict[str, Any], audience: str) -> Refusal | None:
    if claims.get("aud") != audience:
        return Refusal(403, f"the token is for {claims.get('aud')}, not for {audience}")
    left_seconds = claims.get("exp", 0) - time.time()
    if not 0 < left_seconds <= LONGEST_LIFE_SECONDS:
        return Refusal(403, f"the token expires in {left_seconds:.0f} s")
    subject = urlsplit(str(claims.get("sub")))
    if subject.scheme not in ("mailto", "https") or "localhost" in str(claims.get("sub")):
        return Refusal(403, "the token's subject is no way to reach anyone")
    return None
