"""Which URLs may be sent to: an endpoint is a URL that a user hands us.

In: URLs. Out: their origins, or a refusal. Touches: nothing. What a name resolves to is judged in `address`.
"""

import hashlib
import re
from collections.abc import Iterable

from taskbell.push.refusal import EndpointRefused

LONGEST_ENDPOINT = 2048

# The push services of Chrome, Firefox, Edge and Safari; of the last two, hosts below these names.
KNOWN_HOSTS = frozenset(
    {
        "fcm.googleapis.com",
        "jmt17.google.com",
        "updates.push.services.mozilla.com",
        "web.push.apple.com",
    }
)
KNOWN_SUFFIXES = (".notify.windows.com", ".push.apple.com")

# Deliberately narrower than RFC 3986 and without a URL parser, so that curl cannot read a host where we saw
# another: lower-case ASCII names only, no user, no brackets, no backslash; the host ends at the first ":"
# or "/".
_LABEL = r"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(rf"(https?)://({_LABEL}(?:\.{_LABEL})*)(:[1-9][0-9]{{0,4}})?", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*", re.ASCII)
_LOOPBACK = re.compile(
    r"https?://(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.[0-9]{1,3}){3})(?::[0-9]+)?", re.ASCII
)


class AllowedOrigins:
    """The known push services and the exact origins that the operator has added."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        """Add exact origins such as `https://push.example.com:8443`; plain http only for this machine itself.

        Raises EndpointRefused for anything that is no such origin.
        """
        self._extra = frozenset(extra)
        for origin in self._extra:
            if not _ORIGIN.fullmatch(origin):
                raise EndpointRefused(
                    "an extra push origin is scheme://host or scheme://host:port, lower case"
                )
            if origin.startswith("http:") and not is_loopback(origin):
                raise EndpointRefused("an extra push origin is https, unless it is on this machine")

    def __contains__(self, origin: object) -> bool:
        if origin in self._extra:
            return True
        match = _ORIGIN.fullmatch(origin) if isinstance(origin, str) else None
        if match is None or match[1] != "https" or match[3]:
            return False
        return match[2] in KNOWN_HOSTS or match[2].endswith(KNOWN_SUFFIXES)


def is_loopback(origin: str) -> bool:
    """Tell whether an origin names this machine: `localhost`, names below it, or 127.0.0.0/8."""
    return _LOOPBACK.fullmatch(origin) is not None


def check_endpoint(url: str, allowed: AllowedOrigins) -> str:
    """Return the origin of an endpoint that we may send to.

    Raises EndpointRefused for every other host, for IP addresses, ports, user names, look-alikes, other
    schemes, international names, control characters and more than 2,048 characters.
    """
    if len(url) > LONGEST_ENDPOINT:
        raise EndpointRefused(f"an endpoint has at most {LONGEST_ENDPOINT} characters")
    origin = _ORIGIN.match(url)
    if origin is None or not _PATH.fullmatch(url, origin.end()):
        raise EndpointRefused("an endpoint is an absolute https URL")
    if origin[0] not in allowed:
        raise EndpointRefused("the endpoint is not at a push service that this server sends to")
    return origin[0]


def endpoint_label(url: str) -> str:
    """Name an endpoint in a log without giving it away: its origin and 8 hex digits of its SHA-256."""
    origin = _ORIGIN.match(url)
    return f"{origin[0] if origin else 'unknown'}#{hashlib.sha256(url.encode()).hexdigest()[:8]}"
