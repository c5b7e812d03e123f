"""Rings one browser: the one that was on the page last. In: settings. Out: what its push service said."""

from typing import Any

from taskbell.errors import GatewayError
from taskbell.notify.deliver import Deliverer
from taskbell.notify.ring import TestBell
from taskbell.push import AllowedOrigins, Sender, Vapid
from taskbell.settings import Settings
from taskbell_local.doctor.facts import PushFacts

NEWEST = """
    select user_id::text, id::text, coalesce(nullif(name, ''), 'a browser') from taskbell.subscriptions
    where retired_at is null order by seen_at desc nulls last limit 1"""


def ask_push(settings: Settings) -> PushFacts:
    """Send the test and settle it; needs a database that answers."""
    import psycopg

    from taskbell.gateway.postgres import PostgresGateway

    url = settings.database_url or ""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            row = connection.execute(NEWEST).fetchone()
    except psycopg.Error as error:
        return PushFacts(asked=True, error=error.sqlstate or "database_unavailable")
    if row is None:
        return PushFacts(asked=True)
    return _ring(settings, PostgresGateway(url), row)


def _ring(settings: Settings, gateway: Any, row: tuple[Any, ...]) -> PushFacts:
    user, subscription, name = (str(value) for value in row)
    sender = Sender(
        Vapid(settings.vapid_private_keys, settings.vapid_subject),
        allowed_origins=AllowedOrigins(settings.extra_push_origins),
    )
    deliverer = Deliverer(sender, public_url=settings.public_url, secrets=settings.webhook_secrets)
    try:
        return PushFacts(asked=True, outcome=TestBell(gateway, deliverer).ring(user, subscription), to=name)
    except GatewayError as error:
        return PushFacts(asked=True, to=name, error=error.reason)
    finally:
        sender.close()
        gateway.close()
