"""A stand-in for Supabase Auth: signs access tokens and serves the keys that verify them.

In: users and claims. Out: tokens, and a JWK set over real HTTP on loopback. Touches one loopback port.
"""

import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

JWKS_PATH = "/auth/v1/.well-known/jwks.json"


class SigningKey:
    """A private key with its id and its one algorithm."""

    def __init__(self, key_id: str, algorithm: str = "ES256", *, rsa_bits: int = 2048) -> None:
        self.key_id = key_id
        self.algorithm = algorithm
        self.private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = (
            ec.generate_private_key(ec.SECP256R1())
            if algorithm == "ES256"
            else rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
        )

    def public_jwk(self) -> dict[str, Any]:
        """Return the public half as Supabase publishes it."""
        public = self.private.public_key()
        jwk: dict[str, Any] = (
            ECAlgorithm.to_jwk(public, as_dict=True)
            if isinstance(public, ec.EllipticCurvePublicKey)
            else RSAAlgorithm.to_jwk(public, as_dict=True)
        )
        return jwk | {"kid": self.key_id, "alg": self.algorithm, "use": "sig", "key_ops": ["verify"]}

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        """Sign claims; `header` adds to or replaces what the token's header says."""
        header = {"kid": self.key_id} | header
        return jwt.encode(dict(claims), self.private, self.algorithm, headers=header)


class Issuer:
    """One project's Auth server; a context manager."""

    def __init__(self) -> None:
        self.key = SigningKey("first")
        self.published = [self.key.public_jwk()]
        self.fetches = 0
        self.failing = False
        self.open = threading.Event()
        self.open.set()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = issuer._answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.project_url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.jwks_url = self.project_url + JWKS_PATH
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def issuer(self) -> str:
        """What stands in `iss`."""
        return f"{self.project_url}/auth/v1"

    def claims(self, user_id: str, *, now: float | None = None, **changes: Any) -> dict[str, Any]:
        """Return the claims of an access token as Supabase makes them; a change to None leaves one out."""
        issued_at = int(time.time() if now is None else now)
        claims = {
            "iss": self.issuer,
            "sub": user_id,
            "aud": "authenticated",
            "role": "authenticated",
            "iat": issued_at,
            "exp": issued_at + 3600,
            "email": "ada@example.com",
            "is_anonymous": False,
            "session_id": "4b938a09-5372-4177-a314-cfa292099ea2",
            "aal": "aal1",
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, user_id: str, *, now: float | None = None, **changes: Any) -> str:
        """Return an access token."""
        return self.key.sign(self.claims(user_id, now=now, **changes))

    def _answer(self, path: str) -> tuple[int, bytes]:
        self.fetches += 1
        self.open.wait(timeout=10)
        if self.failing or path != JWKS_PATH:
            return 500, b"{}"
        return 200, json.dumps({"keys": self.published}).encode()
