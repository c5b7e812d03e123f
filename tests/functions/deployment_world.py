"""What a deployment lies between: a Supabase project, a cloud, a push service, and somebody who types.

In: a Postgres server, a folder. Out: a `World` in which nothing of ours is there yet. Touches: all of these,
on loopback; and npm, for Supabase's command line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from taskbell_local import cron, relay
from tests.database.database import Database
from tests.database.database import project as new_project
from tests.database.servers import Server
from tests.functions import deployment_hosts
from tests.functions.deployment_cloud import Cloud
from tests.functions.deployment_walk import Walk, supabase_program
from tests.stand_ins.background import Background
from tests.stand_ins.issuer import Issuer
from tests.stand_ins.postgrest import PostgREST
from tests.stand_ins.push_service import PushService
from tests.stand_ins.web_host import Host

LOGS_ALL = {"log_statement": "all", "log_min_duration_statement": "0"}


@dataclass
class World:
    """Everything that a deployment lies between, and what its owner would copy from dashboards."""

    walk: Walk
    cloud: Cloud
    database: Database
    push_service: PushService
    issuer: Issuer
    settings: dict[str, str]
    server_log: Path

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.push_service.ca_file)

    def ask(self, path: str, token: str = "", body: object = None) -> Any:
        """Ask the public address, as the page does."""
        request = urllib.request.Request(  # noqa: S310  # our own
            self.settings["PUBLIC_URL"] + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
            method="GET" if body is None else "PUT",
        )
        with urllib.request.urlopen(request, timeout=60, context=self.trusting()) as answer:  # noqa: S310
            return json.load(answer)

    def subscribe(self, user: str) -> None:
        """Do what a click on “Notify this browser” does."""
        key = self.ask("/v1/config")["vapid_public_key"]
        browser = self.push_service.new_subscription(vapid_public_key=key)
        given = {**browser, "vapid_public_key": key, "name": "Firefox on Linux"}
        self.ask("/v1/subscriptions", self.issuer.token(user), given)


@contextlib.contextmanager
def beside(database: Database) -> Iterator[None]:
    """Run what stands in for pg_net's worker and pg_cron's."""
    tasks = []

    async def begin() -> None:
        tasks.append(asyncio.create_task(relay.relay(database.superuser_url)))
        tasks.append(asyncio.create_task(cron.run_jobs({"postgres": database.url})))

    with Background() as background:
        background.run(begin())
        yield


@contextlib.contextmanager
def new_world(debian_server: Server, folder: Path) -> Iterator[World]:
    """Make a world of its own below a folder, and end it."""
    with contextlib.ExitStack() as stack:
        supabase = supabase_program()
        database = stack.enter_context(new_project(debian_server, "for_the_walk", "new"))
        with psycopg.connect(database.superuser_url, autocommit=True) as superuser:
            for name, value in LOGS_ALL.items():
                superuser.execute(f"alter database for_the_walk set {name} = '{value}'".encode())
        push_service, issuer = stack.enter_context(PushService()), stack.enter_context(Issuer())
        rest = PostgREST(
            database.url,
            secret_key="sb_secret_of_the_walk",
            publishable_key="sb_publishable_x",
            verify_key=issuer.key.private.public_key(),
        )
        stack.enter_context(rest)
        identity = push_service.identity
        cloud = Cloud(folder / "cloud", identity.ca_file)
        at_supabase = deployment_hosts.project(rest.url, issuer.project_url)
        issuer.project_url = stack.enter_context(Host(at_supabase, identity)).url
        page = deployment_hosts.hosting(cloud.hosting, cloud.addresses)
        public = stack.enter_context(Host(page, identity)).url
        stack.enter_context(cloud)  # the last to come ends first: who calls hangs up before who answers
        stack.enter_context(beside(database))
        trust = dict.fromkeys(("SSL_CERT_FILE", "CURL_CA_BUNDLE"), push_service.ca_file)
        near = dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1")
        said = dict.fromkeys(("DO_NOT_TRACK", "SUPABASE_TELEMETRY_DISABLED", "NO_COLOR", "SUPABASE_YES"), "1")
        yield World(
            Walk(folder, [cloud.programs, supabase], trust | near | said),
            cloud,
            database,
            push_service,
            issuer,
            {
                "SUPABASE_URL": issuer.project_url,
                "SUPABASE_SECRET_KEY": rest.secret_key,
                "SUPABASE_PUBLISHABLE_KEY": rest.publishable_key,
                "DATABASE_URL": database.url,
                "VAPID_SUBJECT": "mailto:operator@bell.dev",
                "PUBLIC_URL": public,
                "EXTRA_PUSH_ORIGINS": push_service.origin,
            },
            debian_server.log,
        )
