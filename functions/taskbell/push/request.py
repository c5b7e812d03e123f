"""Turns a message into the request that carries it.

In: message, origin, VAPID. Out: headers and body. Touches: nothing.

Source: RFC 8030 § 5 (TTL, Urgency, Topic), RFC 8291 § 4 (body), RFC 8292 § 3 (Authorization).
"""

import re
from dataclasses import dataclass

from taskbell.push.encrypt import encrypt
from taskbell.push.message import PushMessage
from taskbell.push.refusal import HeadersRefused
from taskbell.push.vapid import Vapid

LONGEST_TTL_SECONDS = 30 * 24 * 3600  # Mozilla's and Apple's cap
URGENCIES = frozenset({"very-low", "low", "normal", "high"})

_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_CONSTANT_HEADERS = (
    "Content-Type: application/octet-stream",
    "Content-Encoding: aes128gcm",
    "User-Agent: Taskbell",
    "Accept:",  # an empty one tells curl to leave out its own
    "Expect:",
)


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A POST to the endpoint; `headers` are whole lines."""

    url: str
    headers: list[str]
    body: bytes


def make_request(message: PushMessage, origin: str, vapid: Vapid) -> PushRequest:
    """Encrypt and sign a message for the push service at `origin`.

    Raises PushRefused: HeadersRefused, NoMatchingVapidKey, PayloadRefused or KeysRefused.
    """
    headers = [*_CONSTANT_HEADERS, *_message_headers(message, origin)]
    headers.append(f"Authorization: {vapid.authorization(origin, message.vapid_public_key)}")
    return PushRequest(message.endpoint, headers, encrypt(message.payload, message.p256dh, message.auth))


def _message_headers(message: PushMessage, origin: str) -> list[str]:
    """Return the headers that say how to deliver, checked: nothing smuggles in a line of its own."""
    if not 0 <= message.ttl_seconds <= LONGEST_TTL_SECONDS:
        raise HeadersRefused(f"a TTL is 0 to {LONGEST_TTL_SECONDS} s")
    if message.urgency not in URGENCIES:
        raise HeadersRefused("an urgency is very-low, low, normal or high")
    headers = [f"TTL: {message.ttl_seconds:d}", f"Urgency: {message.urgency}"]
    if message.topic is not None:
        if not _TOPIC.fullmatch(message.topic):
            raise HeadersRefused("a topic is 1 to 32 characters of base64url")
        headers.append(f"Topic: {message.topic}")
    if origin.endswith(".notify.windows.com"):
        # WNS refuses a TTL of 0 without it (push service request and response headers, X-WNS-Cache-Policy).
        headers.append(f"X-WNS-Cache-Policy: {'cache' if message.ttl_seconds else 'no-cache'}")
    return headers
