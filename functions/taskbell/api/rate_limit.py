"""How often one caller may ask: token buckets in this process's memory.

What it protects: the database and the push services from one loud client — a page that polls in a loop, a
leaked receipt token — on this instance. What it does not: every instance counts for itself, so a platform
that runs N instances allows N times as much; an attacker with many accounts or addresses gets a bucket for
each; and it stops no flood before it reaches the function, which is the platform's work.

In: a key (user id, address), a cost. Out: 0, or the seconds to wait. Touches nothing else.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence


class RateLimit:
    """A token bucket for each key: `burst` at once, then `per_second`.

    At most `most_keys` keys are remembered. Beyond, the one that was quiet for the longest is forgotten,
    which only ever gives a caller more than its share.
    """

    def __init__(
        self,
        *,
        burst: float,
        per_second: float,
        most_keys: int = 10_000,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._most_keys = most_keys
        self._now = now
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, cost: float = 1.0) -> float:
        """Take `cost` tokens of a key; return 0.0, or how many seconds until they can be had."""
        with self._lock:
            now = self._now()
            tokens, since = self._buckets.pop(key, (self._burst, now))
            tokens = min(self._burst, tokens + max(0.0, now - since) * self._per_second)
            short = cost - tokens
            self._buckets[key] = (tokens if short > 0 else -short, now)
            if len(self._buckets) > self._most_keys:
                self._buckets.popitem(last=False)
        return short / self._per_second if short > 0 else 0.0

    @property
    def size(self) -> int:
        """How many keys are remembered."""
        return len(self._buckets)


def retry_after(seconds: float) -> str:
    """Return a Retry-After value: whole seconds, never too few (RFC 9110 §10.2.3)."""
    return str(max(1, math.ceil(seconds)))


def caller_address(peer: str | None, forwarded_for: Sequence[str]) -> str:
    """Return the key of an unnamed caller: its IPv4 address, or its IPv6 /64.

    Behind a proxy (a peer that is not a public address: Google's front end, the local front) the last entry
    of X-Forwarded-For counts, which that proxy wrote; what stands before it anyone can write.
    """
    address = _address(peer)
    if address is None or not address.is_global:
        entries = [part.strip() for header in forwarded_for for part in header.split(",")]
        address = (_address(entries[-1]) if entries else None) or address
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
