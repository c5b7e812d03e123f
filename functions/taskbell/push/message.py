"""What goes into the sender and what comes out of it. Touches: nothing."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PushMessage:
    """One message to one subscription (RFC 8030).

    `endpoint` is the absolute URL, `p256dh`, `auth` and `vapid_public_key` are base64url, `payload` is the
    plaintext of 1 to 3,993 bytes, `urgency` one of very-low, low, normal, high, `topic` 1 to 32 base64url
    characters.
    """

    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)
    vapid_public_key: str
    payload: bytes = field(repr=False)
    ttl_seconds: int
    urgency: str
    topic: str | None


@dataclass(frozen=True, slots=True)
class PushResponse:
    """What became of one message: the push service's answer, or why there is none.

    `status_code` is None exactly if `error` is not. `retry_after` and `wns_status` are the raw header
    values. `service_reason` is the push service's own word for a refusal, such as Apple's `BadJwtToken`, if
    it gave one.

    `error` is one of before sending: `endpoint_not_allowed`, `bad_subscription`, `no_matching_vapid_key`,
    `bad_payload`, `bad_message`, `bad_vapid_key`; on the way: `timeout`, `connection_failed`, `tls_failed`,
    `reset`, `refused_address`; not sent at all: `budget_exhausted`, `closed`; our own fault:
    `internal_error`.
    """

    status_code: int | None
    retry_after: str | None = None
    error: str | None = None
    elapsed_seconds: float = 0.0
    wns_status: str | None = None
    service_reason: str | None = None


def failure(error: str, elapsed_seconds: float = 0.0) -> PushResponse:
    """Return the response that says why there is no answer."""
    return PushResponse(None, error=error, elapsed_seconds=elapsed_seconds)
