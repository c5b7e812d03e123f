"""One encrypted record, from bytes to bytes.

In: a payload, a subscription's keys, a key pair and a salt. Out: the body. Touches: nothing.

Source: RFC 8291 (message encryption for Web Push), RFC 8188 (aes128gcm), RFC 5869 (HKDF). The primitives are
those of `cryptography`; the few lines between them are ours, because encryption is more than half of what a
push costs and pywebpush's engine took a quarter longer for it. That engine is the oracle of the tests: from
the same keys and salt, both make the same bytes.

Importing this costs 10 ms: the first push does it, and not the cold start.
"""

import hmac

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from taskbell.push.refusal import KeysRefused

_P256 = SECP256R1()
_ECDH = ECDH()
_KEY_INFO = b"WebPush: info\0"  # RFC 8291 § 3.4
_CONTENT_KEY_INFO = b"Content-Encoding: aes128gcm\0\1"  # RFC 8188 § 2.2, then HKDF's block number
_NONCE_INFO = b"Content-Encoding: nonce\0\1"  # RFC 8188 § 2.3, likewise
_SIZE_AND_KEY_LENGTH = (4096).to_bytes(4) + b"\x41"  # RFC 8188 § 2.1: between the salt and the public key
_LAST_RECORD = b"\2"


def new_key_pair() -> EllipticCurvePrivateKey:
    """Make the key pair of one message."""
    return generate_private_key(_P256)


def seal(
    payload: bytes, point: bytes, secret: bytes, private_key: EllipticCurvePrivateKey, salt: bytes
) -> bytes:
    """Return the one record that `payload` becomes: the same bytes for the same arguments.

    `point` is the subscription's uncompressed public key (65 bytes), `secret` its authentication secret
    (16). `private_key`, on P-256, and `salt` (16 bytes) are this message's own. Raises KeysRefused if `point`
    is not on the curve.
    """
    try:
        receiver = EllipticCurvePublicKey.from_encoded_point(_P256, point)
    except ValueError:
        raise KeysRefused("p256dh is not a point on the curve P-256") from None
    sender_point = private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    # HKDF with an output of one block is two HMACs: extract with the salt, expand with the info and a 1.
    shared = hmac.digest(secret, private_key.exchange(_ECDH, receiver), "sha256")
    keying = hmac.digest(shared, _KEY_INFO + point + sender_point + b"\1", "sha256")
    pseudorandom = hmac.digest(salt, keying, "sha256")
    content_key = hmac.digest(pseudorandom, _CONTENT_KEY_INFO, "sha256")[:16]
    nonce = hmac.digest(pseudorandom, _NONCE_INFO, "sha256")[:12]
    record = AESGCM(content_key).encrypt(nonce, payload + _LAST_RECORD, None)
    return salt + _SIZE_AND_KEY_LENGTH + sender_point + record
