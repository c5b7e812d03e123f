"""What the page and the service worker ask: HTTP in, JSON out.

    request ─▶ security (limits, CORS, errors) ─▶ serve (who? may they now? what do they say?) ─▶ a resource
    a resource: models of what is asked and answered, handlers, routes; openapi describes the same routes

One file a resource: config, subscriptions, inbox, contacts, tasks, drafts, preferences, receipts, health.
What they need of other layers comes in through `build_api`. Touches the database only through the gateway.
"""

import time
from collections.abc import Callable

import flask

from taskbell.api import (
    config,
    contacts,
    drafts,
    health,
    inbox,
    openapi,
    preferences,
    receipts,
    subscriptions,
    tasks,
)
from taskbell.api.auth import Authenticator
from taskbell.api.hold import HeldRequests
from taskbell.api.jwks import KeySet
from taskbell.api.rate_limit import RateLimit
from taskbell.api.security import secure
from taskbell.api.serve import Door, serve
from taskbell.api.subscriptions import RingTest
from taskbell.gateway import Gateway
from taskbell.push import AllowedOrigins, Vapid
from taskbell.settings import Settings

__all__ = ["RingTest", "build_api"]

# A page that polls every 5 s needs 0.2 a second; ten tabs that all lost their leader still pass.
USER_BURST, USER_PER_SECOND = 120.0, 10.0
# Many people may sit behind one address, and every notification gives up to three receipts.
ADDRESS_BURST, ADDRESS_PER_SECOND = 300.0, 30.0


def build_api(
    settings: Settings,
    gateway: Gateway,
    *,
    vapid: Vapid,
    allowed_origins: AllowedOrigins,
    ring_test: RingTest,
    verify_receipt: Callable[[str], int | None],
    held_requests: int = 3,
    users: RateLimit | None = None,
    addresses: RateLimit | None = None,
    now: Callable[[], float] = time.time,
) -> flask.Flask:
    """Return the API as a WSGI application.

    `ring_test(user_id, subscription_id)` sends a test and settles it. `verify_receipt(token)` returns the
    delivery's id of a token of ours. `held_requests` is how many requests may wait at once, each in a thread
    of the server: keep it well below the number of threads. `users` and `addresses` limit how often one user
    and one unnamed caller may ask. `now` gives seconds since 1970.
    """
    all_routes = [
        *config.routes(settings, vapid, can_hold=gateway.inbox_changes is not None),
        *inbox.routes(gateway, HeldRequests(held_requests)),
        *contacts.routes(gateway),
        *tasks.routes(gateway),
        *drafts.routes(gateway),
        *subscriptions.routes(gateway, vapid, allowed_origins, ring_test),
        *preferences.routes(gateway),
        *receipts.routes(gateway, verify_receipt, now),
        *health.routes(settings, gateway),
    ]
    app = flask.Flask("taskbell.api", static_folder=None)
    door = Door(
        authenticator=_authenticator(settings, now),
        users=users or RateLimit(burst=USER_BURST, per_second=USER_PER_SECOND),
        addresses=addresses or RateLimit(burst=ADDRESS_BURST, per_second=ADDRESS_PER_SECOND),
    )
    serve(app, [*all_routes, *openapi.routes(all_routes, settings.public_url)], door)
    secure(app, settings.public_url)
    return app


def _authenticator(settings: Settings, now: Callable[[], float]) -> Authenticator:
    issuer = f"{settings.supabase_url}/auth/v1"
    return Authenticator(issuer, KeySet(f"{issuer}/.well-known/jwks.json"), now=now)
