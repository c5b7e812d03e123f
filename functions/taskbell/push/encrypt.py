"""Encrypts a payload for one subscription.

In: plaintext and keys. Out: the request's body. Touches: the random source.

Source: RFC 8291 (message encryption for Web Push), RFC 8188 (aes128gcm).
"""

from taskbell.push.keys import decode_keys
from taskbell.push.refusal import KeysRefused, PayloadRefused

# A body of 4096 bytes, which every push service takes (RFC 8030 § 7.2), less header (86), delimiter (1) and
# tag (16).
LARGEST_PAYLOAD_BYTES = 3993


def encrypt(payload: bytes, p256dh: str, auth: str) -> bytes:
    """Encrypt a payload of 1 to 3,993 bytes for a subscription, with a key pair and salt of its own.

    `p256dh` and `auth` are base64url. Returns the body of a request with `Content-Encoding: aes128gcm`, one
    record. Raises PayloadRefused or KeysRefused.
    """
    # Here and not above: 30 ms that only the first push pays, and not the cold start.
    import http_ece
    from cryptography.hazmat.primitives.asymmetric import ec

    # http_ece makes no record of an empty payload, and browsers cannot decrypt that; nor could it show
    # anything.
    if not 0 < len(payload) <= LARGEST_PAYLOAD_BYTES:
        raise PayloadRefused(f"a payload has 1 to {LARGEST_PAYLOAD_BYTES} bytes, this one {len(payload)}")
    point, secret = decode_keys(p256dh, auth)
    try:
        body: bytes = http_ece.encrypt(
            payload,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=point,
            auth_secret=secret,
            version="aes128gcm",
        )
    except ValueError:
        raise KeysRefused("p256dh is not a point on the curve P-256") from None
    return body
