"""Web Push, from a plaintext and a subscription to a push service's answer.

In: messages. Out: responses. Touches: the network, and nothing else: no database, no environment.

    Sender.send ─▶ check_endpoint ─▶ Batch ─▶ Loop (one thread)
                                               │  Lanes     whose turn it is
                                               │  request   headers · VAPID · encrypt
                                               │  Transfer  one libcurl handle
                                               ▼  Multi     all of them at once, by events
                                     Batch ◀─ response

The only package that knows py-vapid and pycurl; the first push loads them, and `cryptography`.
"""

from taskbell.push.encrypt import LARGEST_PAYLOAD_BYTES, encrypt
from taskbell.push.endpoint import AllowedOrigins, check_endpoint, endpoint_label
from taskbell.push.keys import check_keys
from taskbell.push.message import PushMessage, PushResponse
from taskbell.push.refusal import EndpointRefused, KeysRefused, PushRefused
from taskbell.push.sender import Sender
from taskbell.push.vapid import Vapid

__all__ = [
    "LARGEST_PAYLOAD_BYTES",
    "AllowedOrigins",
    "EndpointRefused",
    "KeysRefused",
    "PushMessage",
    "PushRefused",
    "PushResponse",
    "Sender",
    "Vapid",
    "check_endpoint",
    "check_keys",
    "encrypt",
    "endpoint_label",
]
