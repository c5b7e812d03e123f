"""The functions webhook and sweep, whole, between a real database and a real push service.

In: what an application does to its rows. Out: what browsers get. Requests are as a server makes them.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Request, Response

from taskbell.app import Application
from taskbell.gateway import Gateway
from taskbell.intake.verify import sign
from taskbell.settings import Settings, read_settings
from tests.database.story import Story
from tests.stand_ins.push_messages import SUBJECT, new_private_key
from tests.stand_ins.push_service import Behaviour, PushService, Received

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ok!").decode()

_flask = Flask("requests")


VAPID_KEY = new_private_key()
WAKE_UP = b'{"type":"taskbell.wakeup","event_id":1}'


def environment_for(database_url: str, push_origin: str) -> dict[str, str]:
    """Return the variables that the functions are given."""
    return {
        "SUPABASE_URL": "http://localhost:1",
        "DATABASE_URL": database_url,
        "PUBLIC_URL": "https://bell.example",
        "VAPID_PRIVATE_KEY": VAPID_KEY,
        "VAPID_SUBJECT": SUBJECT,
        "WEBHOOK_SECRETS": SECRET,
        "EXTRA_PUSH_ORIGINS": push_origin,
    }


def settings_for(database_url: str, push_origin: str, **environ: str) -> Settings:
    return read_settings({**environment_for(database_url, push_origin), **environ})


def new_browser(push_service: PushService, *script: Behaviour, public_key: str) -> dict[str, Any]:
    """Return a new browser as `taskbell_subscribe` takes it; its push service follows `script`."""
    handed_out = push_service.new_subscription(*script, vapid_public_key=public_key)
    return {
        "endpoint": handed_out["endpoint"],
        "origin": push_service.origin,
        **handed_out["keys"],
        "vapid_public_key": public_key,
        "name": "Firefox on Linux",
    }


def post(body: bytes, headers: dict[str, str], path: str = "/webhook", method: str = "POST") -> Request:
    """Make a request as the Functions Framework would hand it over."""
    with _flask.test_request_context(path, method=method, data=body, headers=headers) as context:
        return context.request


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Return the headers of Standard Webhooks."""
    timestamp = int(time.time() if at is None else at)
    return {
        "content-type": "application/json",
        "webhook-id": f"msg_{timestamp}",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(f"msg_{timestamp}", timestamp, body, secret),
    }


@dataclass
class Bell(Story):
    """A story's people and rows, the functions, and the browsers that they ring."""

    push_service: PushService = field(kw_only=True)
    application: Application = field(kw_only=True)
    endpoints: dict[str, str] = field(default_factory=dict)

    @property
    def gateway(self) -> Gateway:
        return self.application.gateway

    def browser(self, *script: Behaviour, user: str | None = None) -> str:
        """Subscribe a new browser, whose push service follows `script`; returns the subscription's id."""
        browser = new_browser(self.push_service, *script, public_key=self.application._vapid.public_key)
        stored = self.gateway.rpc(
            "taskbell_subscribe", {"p_user_id": user or self.owner, "p_subscription": browser}
        )
        assert isinstance(stored, dict)
        self.endpoints[str(stored["id"])] = browser["endpoint"]
        return str(stored["id"])

    def prefer(self, user: str | None = None, **preferences: object) -> None:
        """Change a user's preferences."""
        self.database.rpc("taskbell_change_preferences", p_user_id=user or self.owner, p_change=preferences)

    def wake(self) -> dict[str, Any]:
        """Deliver the wake-up that the trigger's webhook is; returns the answer's body."""
        response = self.webhook(WAKE_UP)
        assert response.status_code == 200, response.get_data()
        body: dict[str, Any] = response.get_json()
        return body

    def row_change(self, **changes: Any) -> bytes:
        """Return what a webhook of the dashboard says of a new task that is completed."""
        record = {
            "id": "0d0e0000-0000-4000-8000-000000000001",
            "user_id": self.owner,
            "agent_id": self.agent,
            "status": "completed",
            "input_data": {"contactId": self.contact},
            "updated_at": "2026-03-02T12:00:00+00:00",
        }
        change = {"type": "INSERT", "table": "agent_tasks", "schema": "public", "record": record}
        return json.dumps({**change, "old_record": None, **changes}).encode()

    def webhook(self, body: bytes, headers: dict[str, str] | None = None) -> Response:
        return self.application.webhook(post(body, signed(body) if headers is None else headers))

    def sweep(self, body: bytes = b"{}", headers: dict[str, str] | None = None) -> Response:
        return self.application.sweep(post(body, signed(body) if headers is None else headers, "/sweep"))

    def shown(self) -> list[dict[str, Any]]:
        """Return the notification in each push so far, decrypted, in order of arrival."""
        return [message(push)["notification"] for push in self.push_service.received]

    def let_time_pass(self, **delta: float) -> None:
        """Move everything that is due, and every instant it was made at, into the past by so much."""
        seconds = sum(
            value * {"seconds": 1, "minutes": 60, "hours": 3600}[unit] for unit, value in delta.items()
        )
        shift = f"{seconds} seconds"
        for table, columns in {
            "task_events": ["due_at"],
            "deliveries": ["due_at", "expires_at"],
            "notifications": ["created_at"],
            "push_services": ["blocked_until"],
        }.items():
            assignments = ", ".join(f"{column} = {column} - %s::interval" for column in columns)
            self.database.execute(f"update taskbell.{table} set {assignments}", *[shift] * len(columns))  # noqa: S608


def message(push: Received) -> dict[str, Any]:
    """Return the payload of a push."""
    assert push.payload is not None
    decoded: dict[str, Any] = json.loads(push.payload)
    return decoded


__all__ = [
    "SECRET",
    "VAPID_KEY",
    "WAKE_UP",
    "Behaviour",
    "Bell",
    "environment_for",
    "message",
    "new_browser",
    "post",
    "settings_for",
    "signed",
]
