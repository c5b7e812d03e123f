"""The slice of a Supabase project that a page meets: Auth's tokens and keys, and Realtime, on one origin.

In: HTTP and WebSockets on loopback. Out: sessions as Supabase Auth gives them, and what realtime.py gives.
Touches one loopback port and the database. What the page asks of Auth is the sign-in with a password and the
refresh; tokens live as long as a test says.
"""

import secrets
import time
from typing import Any, Self

import jwt
from aiohttp import web

from tests.stand_ins.background import Background
from tests.stand_ins.issuer import JWKS_PATH, SigningKey
from tests.stand_ins.realtime import PATH, Realtime
from tests.stand_ins.realtime_database import Claims

PUBLISHABLE_KEY = "sb_publishable_stand_in"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "apikey, authorization, content-type",
}


class SupabaseProject:
    """A running project; a context manager. `people` maps an email to a user id; every password is right."""

    def __init__(self, background: Background, superuser_url: str) -> None:
        self.people: dict[str, str] = {}
        self.token_seconds = 3600.0
        """How long the next access tokens are good for."""
        self.believed_seconds = 3600
        """What the next answers say about that; a client with a slow clock believes no less."""
        self.refreshes = 0
        self.publishable_key = PUBLISHABLE_KEY
        self.realtime = Realtime(background, publishable_key=PUBLISHABLE_KEY, verify=self.verify)
        self._superuser_url = superuser_url
        self._background = background
        self._key = SigningKey("stand-in")
        self._refresh_tokens: dict[str, str] = {}
        self._runner: web.AppRunner
        self.url = ""

    def __enter__(self) -> Self:
        self._background.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._background.run(self._stop())

    def token(self, user_id: str, *, seconds: float | None = None, **claims: Any) -> str:
        """Sign an access token."""
        now = time.time()
        return self._key.sign(
            {
                "iss": f"{self.url}/auth/v1",
                "sub": user_id,
                "aud": "authenticated",
                "role": "authenticated",
                "is_anonymous": False,
                "iat": int(now),
                "exp": int(now + (self.token_seconds if seconds is None else seconds)),
            }
            | claims
        )

    def verify(self, token: str) -> Claims:
        """Return what a token of this project says; raises jwt.InvalidTokenError."""
        claims: Claims = jwt.decode(
            token, self._key.private.public_key(), algorithms=["ES256"], audience="authenticated"
        )
        return claims

    def forget_sessions(self) -> None:
        """Sign everybody out: no refresh token is good any more."""
        self._refresh_tokens.clear()

    async def _start(self) -> None:
        await self.realtime.start(self._superuser_url)
        application = web.Application()
        application.router.add_get(JWKS_PATH, self._keys)
        application.router.add_post("/auth/v1/token", self._session)
        application.router.add_post("/auth/v1/logout", self._nothing)
        application.router.add_route("OPTIONS", "/auth/v1/{path:.*}", self._nothing)
        application.router.add_get(PATH, self.realtime.handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"

    async def _stop(self) -> None:
        await self.realtime.stop()
        await self._runner.cleanup()

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [self._key.public_jwk()]}, headers=CORS)

    async def _nothing(self, _: web.Request) -> web.Response:
        return web.Response(status=204, headers=CORS)

    async def _session(self, request: web.Request) -> web.Response:
        if request.headers.get("apikey") != PUBLISHABLE_KEY:
            return web.json_response({"message": "No API key found in request"}, status=401, headers=CORS)
        asked = await request.json()
        if request.query.get("grant_type") == "password":
            user_id = self.people.get(asked.get("email", ""))
        else:
            self.refreshes += 1
            user_id = self._refresh_tokens.pop(asked.get("refresh_token", ""), None)
        if user_id is None:
            return web.json_response({"error_code": "invalid_credentials"}, status=400, headers=CORS)
        refresh_token = secrets.token_urlsafe(9)
        self._refresh_tokens[refresh_token] = user_id
        answer = {
            "access_token": self.token(user_id),
            "token_type": "bearer",
            "expires_in": self.believed_seconds,
            "refresh_token": refresh_token,
            "user": {"id": user_id},
        }
        return web.json_response(answer, headers=CORS)
