"""A subscription's keys: base64url text in, bytes out. Touches: nothing.

Source: Push API § 5.1 (`getKey`), RFC 8291 § 2.
"""

import binascii

from taskbell.push.refusal import KeysRefused

POINT_BYTES = 65
AUTH_BYTES = 16

# What base64url does not have becomes what base64 does not have.
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")


def decode_keys(p256dh: str, auth: str) -> tuple[bytes, bytes]:
    """Decode the keys of a subscription from base64url, padded or not.

    Returns the uncompressed point, 65 bytes, not checked to be on the curve, and the secret, 16 bytes.
    Raises KeysRefused if either is anything else.
    """
    point, secret = _decode(p256dh), _decode(auth)
    if len(point) != POINT_BYTES or point[0] != 4:
        raise KeysRefused("p256dh is not an uncompressed P-256 point of 65 bytes in base64url")
    if len(secret) != AUTH_BYTES:
        raise KeysRefused("auth is not 16 bytes in base64url")
    return point, secret


def check_keys(p256dh: str, auth: str) -> None:
    """Make sure that a message can be encrypted for these keys.

    Raises KeysRefused if `p256dh` is no point on the curve or `auth` is not 16 bytes.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    point, _ = decode_keys(p256dh, auth)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise KeysRefused("p256dh is not a point on the curve P-256") from None


def _decode(text: str) -> bytes:
    """Return the bytes, or none if the text is not base64url: its decoder judges quicker than a pattern."""
    bare = text.removesuffix("=").removesuffix("=")
    try:
        standard = bare.encode("ascii").translate(_TO_STANDARD)
        return binascii.a2b_base64(standard + b"=" * (-len(standard) % 4), strict_mode=True)
    except ValueError:  # not ASCII, or binascii.Error
        return b""
