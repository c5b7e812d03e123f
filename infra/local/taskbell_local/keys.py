"""The keys of an embedded stack: made once, kept, never shown.

In: a path. Out: `Keys`. It writes that one file (0600). Formats: VAPID as browsers and senders use it (RFC
8292 §3.2: base64url of the 32-byte scalar and of the 65-byte uncompressed point), webhook secrets as in
Standard Webhooks (`whsec_` and base64 of 32 bytes), the signer of demo tokens as a JWK (RFC 7517, ES256).
"""

import base64
import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from taskbell_local.errors import StackError
from taskbell_local.private_file import write_private

TOKEN_SECONDS = 30 * 24 * 3600
CLOCK_SKEW_SECONDS = 5


@dataclass(frozen=True, repr=False)
class Keys:
    """`signing_key` is a private JWK: it plays the part of Supabase Auth."""

    vapid_private_key: str
    vapid_public_key: str
    webhook_secret: str
    signing_key: dict[str, str]

    @property
    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public half of `signing_key`, as Supabase serves it."""
        return {"keys": [{name: value for name, value in self.signing_key.items() if name != "d"}]}

    def user_token(self, issuer: str, user_id: str, email: str) -> str:
        """Sign an access token as Supabase Auth does (ES256), good for 30 days."""
        import jwt

        now = int(time.time()) - CLOCK_SKEW_SECONDS
        claims = {
            "iss": issuer,
            "sub": user_id,
            "aud": "authenticated",
            "role": "authenticated",
            "email": email,
            "is_anonymous": False,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        key = jwt.PyJWK(self.signing_key, "ES256")
        return jwt.encode(claims, key, algorithm="ES256", headers={"kid": self.signing_key["kid"]})


def load_or_make(path: Path) -> Keys:
    """Read the keys, or make and keep them; raises StackError where the file holds something else."""
    if path.exists():
        try:
            return Keys(**json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise StackError(
                "bad_keys",
                f"{path} holds no keys: put it back, or remove it to have new ones made, which every browser"
                " has to subscribe to anew.",
            ) from error
    keys = make()
    write_private(path, json.dumps(asdict(keys), indent=2) + "\n")
    return keys


def make() -> Keys:
    """Make a new set of keys."""
    scalar, x, y = _p256()
    vapid_public_key = b"\x04" + x + y
    signing_scalar, signing_x, signing_y = _p256()
    return Keys(
        vapid_private_key=_base64url(scalar),
        vapid_public_key=_base64url(vapid_public_key),
        webhook_secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        signing_key={
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": secrets.token_urlsafe(12),
            "x": _base64url(signing_x),
            "y": _base64url(signing_y),
            "d": _base64url(signing_scalar),
        },
    )


def _p256() -> tuple[bytes, bytes, bytes]:
    """Return a new private scalar and the x and y of its public point, 32 bytes each."""
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    public = private.public_numbers
    return tuple(number.to_bytes(32, "big") for number in (private.private_value, public.x, public.y))  # type: ignore[return-value]


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
