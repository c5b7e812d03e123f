"""GET /v1/config: what the page must know before anyone signed in. All of it is public.

In: settings and the VAPID public key. Out: both, less their secrets. Touches nothing.
"""

from typing import Any

from pydantic import Field

from taskbell.api.route import Access, Answer, Call, Route
from taskbell.api.shapes import Answered
from taskbell.push import Vapid
from taskbell.settings import Settings

POLL_INTERVAL_SECONDS = 5


class Config(Answered):
    """How the page reaches this deployment."""

    vapid_public_key: str = Field(description="applicationServerKey: uncompressed P-256 point, base64url.")
    supabase_url: str
    supabase_publishable_key: str | None
    poll_interval_seconds: int
    can_hold: bool = Field(description="Whether `Prefer: wait` on the inbox is honoured.")
    demo_token: str | None = Field(
        description="An access token of the demo user, on the embedded stack only."
    )


def routes(settings: Settings, vapid: Vapid, *, can_hold: bool) -> list[Route[Any]]:
    """Return the routes of this resource."""

    def read_config(_: Call[None]) -> Answer:
        return Answer(
            Config(
                vapid_public_key=vapid.public_key,
                supabase_url=settings.supabase_url,
                supabase_publishable_key=settings.supabase_publishable_key,
                poll_interval_seconds=POLL_INTERVAL_SECONDS,
                can_hold=can_hold,
                demo_token=settings.demo_token,
            )
        )

    return [
        Route(
            method="GET",
            path="/v1/config",
            summary="Read what the page must know before anyone signed in.",
            handler=read_config,
            access=Access.PUBLIC,
            answers={200: Config},
        )
    ]
