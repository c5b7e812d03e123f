"""A running stack with a push service, and what the page asks of it as the demo's user, without a browser."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.functions.local_stack import ANSWER_SECONDS, LocalStack
from tests.stand_ins.push_service import Behaviour, PushService


class RingingStack(LocalStack):
    """A stack that may send to `push_service`."""

    def __init__(self, data: Path, push_service: PushService, *options: str) -> None:
        super().__init__(data, *options, environment={"EXTRA_PUSH_ORIGINS": push_service.origin})
        self.push_service = push_service


@contextmanager
def ringing_stack(data: Path, *options: str) -> Iterator[RingingStack]:
    """Start a stack and a push service of its own."""
    with PushService(tls=False) as push_service, RingingStack(data, push_service, *options) as running:
        yield running


def request(stack: LocalStack, method: str, path: str, body: object = None) -> dict[str, object]:
    """Ask the api as the demo's user."""
    headers = {"Authorization": f"Bearer {stack.settings['DEMO_TOKEN']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(stack.url + path, data, headers, method=method)  # noqa: S310  # our own
    with urllib.request.urlopen(asked, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
        content = answer.read()
    found: dict[str, object] = json.loads(content) if content else {}
    return found


def subscribe(stack: RingingStack, name: str, *script: Behaviour) -> str:
    """Subscribe as the page does; returns the subscription's id."""
    subscription = stack.push_service.new_subscription(*script)
    key = request(stack, "GET", "/v1/config")["vapid_public_key"]
    found = request(
        stack, "PUT", "/v1/subscriptions", {**subscription, "vapid_public_key": key, "name": name}
    )
    return str(found["id"])
