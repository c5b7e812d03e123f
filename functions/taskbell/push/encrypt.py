"""Encrypts a payload for one subscription.

In: plaintext and keys. Out: the request's body. Touches: the random source.

Source: RFC 8291 (message encryption for Web Push).
"""

import os

from taskbell.push.keys import decode_keys
from taskbell.push.refusal import PayloadRefused

# A body of 4096 bytes, which every push service takes (RFC 8030 § 7.2), less header (86), delimiter (1) and
# tag (16).
LARGEST_PAYLOAD_BYTES = 3993


def encrypt(payload: bytes, p256dh: str, auth: str) -> bytes:
    """Encrypt a payload of 1 to 3,993 bytes for a subscription, with a key pair and salt of its own.

    `p256dh` and `auth` are base64url. Returns the body of a request with `Content-Encoding: aes128gcm`, one
    record. Raises PayloadRefused or KeysRefused.
    """
    from taskbell.push.record import new_key_pair, seal

    # Browsers cannot decrypt an empty payload; nor could it show anything.
    if not 0 < len(payload) <= LARGEST_PAYLOAD_BYTES:
        raise PayloadRefused(f"a payload has 1 to {LARGEST_PAYLOAD_BYTES} bytes, this one {len(payload)}")
    point, secret = decode_keys(p256dh, auth)
    return seal(payload, point, secret, new_key_pair(), os.urandom(16))
