"""The bytes that travel: Declarative Web Push JSON. Safari shows it, elsewhere our worker does.

In: a delivery, the page's address, a receipt token. Out: at most 2,700 bytes of JSON in UTF-8. Pure.
"""

import json
from datetime import UTC, datetime

from taskbell.model import Delivery, Json
from taskbell.notify.shorten import json_bytes, shorten

MAX_PAYLOAD_BYTES = 2700
"""Mozilla's bridge to Android takes about 2,744; RFC 8291 would allow 3,993."""

MAX_TITLE_BYTES = 600
MAX_NAME_BYTES = 240
MAX_ID_BYTES = 200
"""What single fields may take, so that there is always room for all of them; a body gets what remains."""


def payload(delivery: Delivery, public_url: str, receipt_token: str) -> bytes:
    """Return the message (Declarative Web Push explainer, "JSON format"); `public_url` has no trailing slash.

    Long texts are shortened between characters as people see them. `app_badge` and `mutable` stand twice,
    because WebKit reads them where the specification does not have them any more.
    """
    notification = delivery.notification
    contact_id = _id(notification.contact_id)
    # An id too long to carry would open nothing: then the page itself opens.
    url = notification.url if contact_id == notification.contact_id else "/"
    shown: dict[str, Json] = {
        "title": shorten(notification.title, MAX_TITLE_BYTES, json_bytes),
        "body": notification.body,
        "navigate": url if url.startswith(f"{public_url}/") else f"{public_url}/{url.lstrip('/')}",
        "tag": notification.tag,
        "lang": notification.lang,
        "dir": "auto",
        "silent": False,
        "app_badge": max(0, delivery.app_badge),
        "mutable": True,
        "data": {
            "event_id": notification.event_id,
            "kind": notification.kind.value,
            "task_id": _id(notification.task_id),
            "contact_id": contact_id,
            "agent_id": _id(notification.agent_id),
            "contact_name": _name(notification.contact_name),
            "agent_name": _name(notification.agent_name),
            "occurred_at": _iso(delivery.occurred_at),
            "delivery": str(delivery.id),
            "receipt": receipt_token,
            "sticky": notification.sticky,
        },
    }
    message: dict[str, Json] = {
        "web_push": 8030,
        "notification": shown,
        "app_badge": shown["app_badge"],
        "mutable": True,
    }
    encoded = _encode(message)
    if len(encoded) > MAX_PAYLOAD_BYTES:
        room = MAX_PAYLOAD_BYTES - len(encoded) + json_bytes(notification.body)
        shown["body"] = shorten(notification.body, room, json_bytes)
        encoded = _encode(message)
    return encoded


def ttl_seconds(delivery: Delivery, now: datetime) -> int:
    """Return how long the push service may keep the message: no longer than it is worth something.

    At least 1: WNS refuses 0 without a header of its own.
    """
    left = (delivery.expires_at - now).total_seconds()
    return max(1, min(delivery.notification.ttl_seconds, int(left)))


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _encode(message: dict[str, Json]) -> bytes:
    # Lone surrogates, which JSON from elsewhere may hold, become question marks.
    return _compact(message).encode("utf-8", "replace")


def _id(value: str | None) -> str | None:
    return value if value is not None and json_bytes(value) <= MAX_ID_BYTES else None


def _name(value: str | None) -> str | None:
    return None if value is None else shorten(value, MAX_NAME_BYTES, json_bytes)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
