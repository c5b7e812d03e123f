"""Why a message, a subscription or a key cannot be used. Touches: nothing."""

# ruff: noqa: N818  what is wrong is what we were given, not the program

from typing import ClassVar

from taskbell.errors import TaskbellError


class PushRefused(TaskbellError):
    """Something that cannot be sent or sent to; `reason` is the class's slug.

    The message never contains an endpoint, a key or a payload.
    """

    slug: ClassVar[str] = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(self.slug, message)


class EndpointRefused(PushRefused):
    """The endpoint is not at a push service that we send to."""

    slug = "endpoint_not_allowed"


class KeysRefused(PushRefused):
    """The subscription's `p256dh` is no P-256 point, or its `auth` is not 16 bytes."""

    slug = "bad_keys"


class PayloadRefused(PushRefused):
    """The payload is empty, or too large for one message."""

    slug = "bad_payload"


class HeadersRefused(PushRefused):
    """The TTL, urgency or topic is none that RFC 8030 knows."""

    slug = "bad_message"


class VapidKeyRefused(PushRefused):
    """A configured private key is not a P-256 key in a form that we read."""

    slug = "bad_vapid_key"


class NoMatchingVapidKey(PushRefused):
    """The subscription was made with a VAPID key that we do not have."""

    slug = "no_matching_vapid_key"
