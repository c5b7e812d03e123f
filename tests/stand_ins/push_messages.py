"""What the tests of the sender send.

In: push services, subscriptions. Out: keys, messages, senders. Touches: nothing.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from taskbell.push import AllowedOrigins, PushMessage, Sender, Vapid
from tests.stand_ins.push_service import PushService
from tests.stand_ins.push_service_rules import BrowserKeys

TOPIC = "taskbell-tests-use-this-topic-32"
SUBJECT = "mailto:operator@example.com"


def new_private_key() -> str:
    """Return a new VAPID private key: the 32-byte scalar in base64url."""
    scalar = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64.urlsafe_b64encode(scalar.to_bytes(32)).rstrip(b"=").decode()


def new_vapid(*private_keys: str, now: Callable[[], float] | None = None) -> Vapid:
    """Return an identity with these keys, or with one new key."""
    keys = private_keys or (new_private_key(),)
    return Vapid(keys, SUBJECT, now) if now else Vapid(keys, SUBJECT)


def message_to(subscription: Mapping[str, Any], vapid: Vapid, **changes: Any) -> PushMessage:
    """Return a message to a subscription as browsers hand it out, with some fields changed."""
    fields: dict[str, Any] = {
        "endpoint": subscription["endpoint"],
        "p256dh": subscription["keys"]["p256dh"],
        "auth": subscription["keys"]["auth"],
        "vapid_public_key": vapid.public_key,
        "payload": b'{"web_push": 8030}',
        "ttl_seconds": 60,
        "urgency": "normal",
        "topic": TOPIC,
    }
    return PushMessage(**{**fields, **changes})


def messages_to(vapid: Vapid, origin: str, count: int) -> list[PushMessage]:
    """Return messages to an origin that has given out no subscription."""
    keys = BrowserKeys().public_keys()
    return [message_to({"endpoint": f"{origin}/{number}", "keys": keys}, vapid) for number in range(count)]


def sender_to(
    vapid: Vapid, *services: PushService, ca_file: str | None = None, origins: tuple[str, ...] = ()
) -> Sender:
    """Return a sender to these push services and origins, trusting `ca_file` or the first one's authority."""
    allowed = AllowedOrigins([*(service.origin for service in services), *origins])
    return Sender(
        vapid, allowed_origins=allowed, ca_file=ca_file or (services[0].ca_file if services else None)
    )
