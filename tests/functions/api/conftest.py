"""One stage for all stories of the API: real Postgres, real HTTP; each story has users of its own."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from taskbell.api import build_api
from taskbell.gateway.postgres import PostgresGateway
from taskbell.notify.deliver import Deliverer
from taskbell.notify.dispatch import Dispatcher
from taskbell.notify.receipt import verify_receipt
from taskbell.notify.ring import TestBell
from taskbell.push import AllowedOrigins, Sender, Vapid
from taskbell.settings import Settings
from tests.database.database import Database
from tests.database.pool import DatabasePool
from tests.functions.api.stage import Documented, Rows, Stage, served
from tests.stand_ins.issuer import Issuer
from tests.stand_ins.push_messages import new_private_key
from tests.stand_ins.push_service import PushService

WEBHOOK_SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@contextmanager
def staged(database: Database, issuer: Issuer, push_service: PushService, **options: Any) -> Iterator[Stage]:
    """Build the API as the composition root does, and serve it."""
    settings = Settings(
        supabase_url=issuer.project_url,
        supabase_secret_key=None,
        supabase_publishable_key="sb_publishable_x",
        database_url=database.url,
        vapid_private_keys=(new_private_key(), new_private_key()),
        vapid_subject="mailto:operator@example.com",
        webhook_secrets=(WEBHOOK_SECRET,),
        public_url="https://bell.example",
        extra_push_origins=(push_service.origin,),
    )
    gateway = PostgresGateway(database.url)
    vapid = Vapid(settings.vapid_private_keys, settings.vapid_subject)
    origins = AllowedOrigins(settings.extra_push_origins)
    sender = Sender(vapid, allowed_origins=origins, ca_file=push_service.ca_file)
    dispatcher = Dispatcher(gateway, sender, public_url=settings.public_url, secrets=settings.webhook_secrets)
    deliverer = Deliverer(sender, public_url=settings.public_url, secrets=settings.webhook_secrets)
    app = build_api(
        settings,
        gateway,
        vapid=vapid,
        allowed_origins=origins,
        ring_test=TestBell(gateway, deliverer).ring,
        verify_receipt=lambda token: verify_receipt(token, settings.webhook_secrets),
        **({"held_requests": 8} | options),
    )
    with ExitStack() as cleanup:
        cleanup.callback(gateway.close)
        cleanup.callback(sender.close)
        url = cleanup.enter_context(served(app))
        rows = Rows(database)
        document = app.test_client().get("/v1/openapi.json").json
        assert document is not None
        stage = Stage(
            url,
            app,
            issuer,
            rows,
            gateway,
            settings,
            vapid,
            lambda: dispatcher.run(10),
            Documented(document),
        )
        yield stage
        for client in stage.clients:
            client.close()


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="session")
def push_service() -> Iterator[PushService]:
    with PushService() as service:
        yield service


@pytest.fixture(scope="session")
def api_database(database_pool: DatabasePool) -> Iterator[Database]:
    with database_pool.database() as database:
        yield database


@pytest.fixture(scope="session")
def stage(api_database: Database, issuer: Issuer, push_service: PushService) -> Iterator[Stage]:
    with staged(api_database, issuer, push_service) as stage:
        yield stage


@pytest.fixture
def stage_with(
    api_database: Database, issuer: Issuer, push_service: PushService
) -> Iterator[Callable[..., Stage]]:
    """Build another API on the same database, with other options."""
    with ExitStack() as cleanup:
        yield lambda **options: cleanup.enter_context(staged(api_database, issuer, push_service, **options))


@pytest.fixture
def nobody() -> str:
    """Make an id that belongs to nothing."""
    return str(uuid.uuid4())
