"""The API on a real port in front of a real database, and the people who use it.

In: a database, an issuer of tokens. Out: browsers that speak HTTP, and rows made behind the API's back.
Touches loopback ports and that database.
"""

import base64
import json
import os
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import flask
import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.serving import WSGIRequestHandler, make_server

from taskbell.gateway import Gateway
from taskbell.push import Vapid
from taskbell.settings import Settings
from tests.database.database import Database
from tests.stand_ins.issuer import Issuer

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/"


class QuietHandler(WSGIRequestHandler):
    """Serves HTTP/1.1 and says nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def served(app: flask.Flask) -> Iterator[str]:
    """Serve an application on a loopback port, a thread for each connection; yields its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reason(response: httpx.Response) -> tuple[int, str]:
    """Return status and reason of a refusal, having seen that it is a JSON error and nothing else."""
    body = response.json()
    assert {"error": {"reason": body["error"]["reason"], "message": body["error"]["message"]}} == body
    return response.status_code, body["error"]["reason"]


def base64url(data: bytes) -> str:
    """Encode as browsers do: without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Documented:
    """Holds every answer of every story against the OpenAPI document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._paths = [
            (re.compile(re.sub(r"{\w+}", "[^/]+", path) + "/?"), operations)
            for path, operations in document["paths"].items()
        ]

    def check(self, response: httpx.Response) -> None:
        """See that the document tells of this answer: its status, its reason, its members."""
        method = response.request.method.replace("HEAD", "GET").lower()
        operation = self._operation(response.request.url.path, method)
        if operation is None:
            assert response.status_code in {204, 404, 405, 413}, (method, response.request.url.path)
            return
        response.read()
        described = operation["responses"][str(response.status_code)]
        if not response.content or "content" not in described:
            assert response.request.method == "HEAD" or bool(response.content) == ("content" in described)
            return
        schema = described["content"]["application/json"]["schema"]
        body = response.json()
        if response.status_code >= 400 and "error" in body:
            assert body["error"]["reason"] in _reasons(schema)
        else:
            named = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert set(named.get("required", ())) <= set(body) <= set(named["properties"]) or (
                named.get("additionalProperties") is True
            )

    def _operation(self, path: str, method: str) -> dict[str, Any] | None:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path) and method in operations:
                found: dict[str, Any] = operations[method]
                return found
        return None


def _reasons(schema: dict[str, Any]) -> list[str]:
    reasons: list[str] = schema["allOf"][1]["properties"]["error"]["properties"]["reason"]["enum"]
    return reasons


@dataclass
class Rows:
    """Rows made by the application, behind the API's back: no row level security applies."""

    database: Database

    def user(self) -> str:
        """Make somebody."""
        return self.database.user()

    def contact(self, user_id: str, name: str = "Ada Lovelace") -> str:
        """Make a contact of that user."""
        return self._insert("contacts", user_id=user_id, name=name)

    def agent(self, user_id: str | None = None, name: str = "Outreach", kind: str = "outreach") -> str:
        """Make an agent: that user's, or everyone's."""
        return self._insert("agents", user_id=user_id, name=name, kind=kind)

    def task(self, user_id: str, contact_id: str, agent_id: str, status: str = "pending") -> str:
        """Make a task."""
        return self._insert(
            "agent_tasks",
            user_id=user_id,
            agent_id=agent_id,
            task_type="outreach",
            status=status,
            input_data=json.dumps({"contactId": contact_id}),
        )

    def draft(self, user_id: str, contact_id: str, agent_id: str, task_id: str | None = None) -> str:
        """Make a draft."""
        return self._insert(
            "agent_outreach_drafts",
            user_id=user_id,
            contact_id=contact_id,
            agent_id=agent_id,
            task_id=task_id,
            subject="Hello",
            body="Dear Ada",
        )

    def followup(self, user_id: str, contact_id: str, agent_id: str) -> str:
        """Schedule a follow-up for next week."""
        return self._insert(
            "agent_followup_schedule",
            user_id=user_id,
            contact_id=contact_id,
            agent_id=agent_id,
            scheduled_for=datetime.now(UTC) + timedelta(days=7),
            note="Ask again",
        )

    def activity(self, user_id: str, contact_id: str, agent_id: str) -> str:
        """Note what an agent did."""
        return self._insert(
            "agent_activity_log",
            user_id=user_id,
            contact_id=contact_id,
            agent_id=agent_id,
            action="wrote",
            details=json.dumps({"words": 80}),
        )

    def value(self, query: str, *params: object) -> Any:
        """Return the only value of the only row."""
        return self.database.value(query, *params)

    def execute(self, query: str, *params: object) -> None:
        """Run a statement."""
        self.database.execute(query, *params)

    def everything(self) -> dict[str, str]:
        """Return a fingerprint of every table that the API could write to."""
        tables = self.value(
            "select array_agg(format('%I.%I', schemaname, tablename) order by 1) from pg_tables"
            " where schemaname in ('taskbell', 'public')"
        )
        union = " union all ".join(
            f"select '{table}', md5(coalesce(string_agg(t::text, ',' order by t::text), '')) from {table} t"  # noqa: S608
            for table in tables
        )
        return dict(self.database.execute(union))

    def _insert(self, table: str, **values: object) -> str:
        columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
        query = f"insert into public.{table} ({columns}) values ({places}) returning id::text"  # noqa: S608
        return str(self.value(query, *values.values()))


@dataclass(repr=False)
class Stage:
    """Everything a story needs."""

    url: str
    app: flask.Flask
    issuer: Issuer
    rows: Rows
    gateway: Gateway
    settings: Settings
    vapid: Vapid
    dispatch: Callable[[], object]
    documented: Documented
    clients: list[httpx.Client] = field(default_factory=list)

    def browser(self, user_id: str | None = None, **claims: Any) -> httpx.Client:
        """Return a browser in which that user, or nobody, is signed in."""
        token = user_id and self.issuer.token(user_id, **claims)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=40,
            trust_env=False,
            event_hooks={"response": [self.documented.check]},
        )
        self.clients.append(client)
        return client

    def someone(self, **claims: Any) -> tuple[str, httpx.Client]:
        """Make a user; return the id and a browser in which they are signed in."""
        user_id = self.rows.user()
        return user_id, self.browser(user_id, **claims)

    def subscription(self, **changes: Any) -> dict[str, Any]:
        """Return what a browser sends that just subscribed; every call is another browser."""
        point = ec.generate_private_key(ec.SECP256R1()).public_key()
        return {
            "endpoint": ENDPOINT + uuid.uuid4().hex,
            "keys": {
                "p256dh": base64url(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
                "auth": base64url(os.urandom(16)),
            },
            "vapid_public_key": self.vapid.public_key,
            "name": "Firefox on Linux",
        } | changes
