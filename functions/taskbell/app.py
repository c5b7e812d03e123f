"""The composition root: settings → gateway, sender → the three functions.

In: the environment. Out: an `Application` with one method a function. The only module that knows every part;
nothing that it builds connects to anything before the first request needs it.
"""

import gc
import json
import logging
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import cast

from flask import Flask, Request, Response

from taskbell.errors import TaskbellError
from taskbell.gateway import Gateway
from taskbell.intake.handle import Body, Intake
from taskbell.intake.scheduler import GOOGLE, GOOGLE_KEYS, Scheduler
from taskbell.notify.deliver import Deliverer
from taskbell.notify.dispatch import Dispatcher
from taskbell.notify.receipt import verify_receipt
from taskbell.notify.ring import TestBell
from taskbell.push import AllowedOrigins, Sender, Vapid
from taskbell.settings import Settings, read_settings


class Application:
    """All three functions over one gateway and one sender; safe for many threads and after a fork."""

    def __init__(
        self,
        settings: Settings,
        *,
        push_ca_file: str | None = None,
        scheduler_issuer: tuple[str, str] = (GOOGLE, GOOGLE_KEYS),
    ) -> None:
        """Build from settings; for tests also a PEM bundle to trust push services by, and another issuer.

        `scheduler_issuer` is who makes the scheduler's tokens, and the address of its keys.
        """
        self._settings = settings
        self._scheduler_issuer = scheduler_issuer
        self._lock = threading.Lock()
        self._vapid = Vapid(settings.vapid_private_keys, settings.vapid_subject)
        self._allowed_origins = AllowedOrigins(settings.extra_push_origins)
        self.gateway = _gateway(settings)
        self.sender = Sender(self._vapid, allowed_origins=self._allowed_origins, ca_file=push_ca_file)
        self.dispatcher = Dispatcher(
            self.gateway, self.sender, public_url=settings.public_url, secrets=settings.webhook_secrets
        )
        self._intake = Intake(
            gateway=self.gateway,
            dispatch=self._dispatch,
            secrets=settings.webhook_secrets,
            scheduler=self._believe_scheduler if settings.sweep_caller else None,
        )

    def webhook(self, request: Request) -> Response:
        """Answer the database's wake-up, or a dashboard webhook."""
        return self._intake.webhook(request)

    def sweep(self, request: Request) -> Response:
        """Answer the clock: dispatch what is due."""
        return self._intake.sweep(request)

    def api(self, request: Request) -> Response:
        """Answer the page and the service worker."""
        with self._lock:
            flask = self._flask
        return cast("Response", Response.from_app(flask, request.environ))

    def close(self) -> None:
        """Let go of all connections and threads."""
        self.sender.close()
        self.gateway.close()

    def _dispatch(self, budget_seconds: float) -> Body:
        self.sender.warm_up()  # while the database is asked what is due
        return self.dispatcher.run(budget_seconds).as_json()

    def _believe_scheduler(self, authorization: str) -> None:
        with self._lock:
            scheduler = self._scheduler
        scheduler.verify(authorization)

    @cached_property
    def _scheduler(self) -> Scheduler:
        # Imported here: nothing but a scheduler's call needs it.
        from taskbell.api.jwks import KeySet

        issuer, keys = self._scheduler_issuer
        return Scheduler(
            account=self._settings.sweep_caller or "",
            audience=f"{self._settings.public_url}/sweep",
            key=KeySet(keys).key,
            issuer=issuer,
        )

    @cached_property
    def _flask(self) -> Flask:
        # Imported here: the functions webhook and sweep start without it.
        from taskbell.api import build_api

        settings = self._settings
        deliverer = Deliverer(self.sender, public_url=settings.public_url, secrets=settings.webhook_secrets)
        return build_api(
            settings,
            self.gateway,
            vapid=self._vapid,
            allowed_origins=self._allowed_origins,
            ring_test=TestBell(self.gateway, deliverer).ring,
            verify_receipt=lambda token: verify_receipt(token, settings.webhook_secrets),
            held_requests=settings.held_requests,
        )


def start(environ: Mapping[str, str]) -> Application:
    """Return the application, logging JSON lines to standard error.

    Where a setting is missing or malformed, ends the process with one sentence and exit code 1.
    """
    try:
        application = Application(read_settings(environ))
    except TaskbellError as error:
        sys.exit(f"taskbell: {error}")
    collect_rarely()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    logging.getLogger("taskbell").setLevel(logging.INFO)
    return application


def collect_rarely() -> None:
    """Let Python look for objects that refer to each other in circles after 50,000 new ones, not after 700.

    A batch makes thousands of values and no circles: to look for them took a tenth of the time of a push.
    """
    gc.set_threshold(50_000)


class JsonLines(logging.Formatter):
    """One JSON object a line, under the names that Cloud Logging reads (severity, message, time)."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; what a caller passed as `extra={"fields": …}` stands beside the message.

        Of an exception only its kind and place: its own words might quote a row or a key.
        """
        line: dict[str, object] = {
            "severity": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["place"] = traceback.format_tb(record.exc_info[2])[-3:]
        return json.dumps(line, ensure_ascii=False, default=str)


def _gateway(settings: Settings) -> Gateway:
    if settings.database_url is not None:
        from taskbell.gateway.postgres import PostgresGateway

        return PostgresGateway(settings.database_url)
    from taskbell.gateway.supabase import SupabaseGateway

    return SupabaseGateway(settings.supabase_url, settings.supabase_secret_key or "")
