"""What the page asks of a running stack, as the demo's user, without a browser."""

import json
import urllib.request

from tests.functions.local_stack import LocalStack
from tests.stand_ins.push_service import Behaviour, PushService


def request(stack: LocalStack, method: str, path: str, body: object = None) -> dict[str, object]:
    """Ask the api as the demo's user."""
    headers = {"Authorization": f"Bearer {stack.settings['DEMO_TOKEN']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(stack.url + path, data, headers, method=method)  # noqa: S310  # our own
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        content = answer.read()
    found: dict[str, object] = json.loads(content) if content else {}
    return found


def subscribe(stack: LocalStack, service: PushService, name: str, *script: Behaviour) -> str:
    """Subscribe as the page does; returns the subscription's id."""
    subscription = service.new_subscription(*script)
    key = request(stack, "GET", "/v1/config")["vapid_public_key"]
    found = request(
        stack, "PUT", "/v1/subscriptions", {**subscription, "vapid_public_key": key, "name": name}
    )
    return str(found["id"])
