"""The public keys that sign users' tokens, fetched rarely and by one thread at a time.

In: a key id from a token's header. Out: the public key with its one algorithm. Touches the network,
only the JWKS address it was made with (RFC 7517; Supabase: /auth/v1/.well-known/jwks.json).
"""

import json
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from taskbell.errors import Unavailable

# The only algorithms, each with the kind of key that it belongs to. HS256 must never join them:
# whoever knows a public key could then sign.
ALGORITHMS: Mapping[tuple[str, str | None], str] = {("EC", "P-256"): "ES256", ("RSA", None): "RS256"}

FRESH_SECONDS = 600.0
STALE_IF_UNREACHABLE_SECONDS = 3600.0
UNKNOWN_KEY_PAUSE_SECONDS = 60.0
FAILED_FETCH_PAUSE_SECONDS = 5.0
FETCH_TIMEOUT_SECONDS = 4.0
LARGEST_DOCUMENT_BYTES = 65_536
SMALLEST_RSA_BITS = 2048


class KeysUnavailable(Unavailable):
    """The key set could not be fetched, and none is known that is young enough to go on with."""


class KeySet:
    """Keys by id: cached for ten minutes, fetched at most once at a time.

    An unknown id makes it fetch again, at most once a minute. While the issuer cannot be reached, keys
    known from before serve for an hour more; a fetch that failed is tried again after five seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        fetch: Callable[[str], bytes] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._fetch = fetch or fetch_document
        self._now = now
        self._lock = threading.Lock()
        self._keys: Mapping[str, PyJWK] = {}
        self._fetched_at: float | None = None
        self._failed_at: float | None = None
        self._unknown_at: float | None = None

    def key(self, key_id: str) -> PyJWK | None:
        """Return the key of that id, or None if the issuer has no such key; raises KeysUnavailable."""
        if self._fresh() and key_id in self._keys:
            return self._keys[key_id]
        with self._lock:  # whoever waited here finds what the thread before it fetched
            if not self._fresh():
                self._refresh()
            elif key_id not in self._keys and self._passed(self._unknown_at, UNKNOWN_KEY_PAUSE_SECONDS):
                self._unknown_at = self._now()
                self._refresh()
            return self._keys.get(key_id)

    def _fresh(self) -> bool:
        return self._fetched_at is not None and not self._passed(self._fetched_at, FRESH_SECONDS)

    def _passed(self, since: float | None, seconds: float) -> bool:
        return since is None or self._now() - since >= seconds

    def _refresh(self) -> None:
        if self._passed(self._failed_at, FAILED_FETCH_PAUSE_SECONDS):
            try:
                self._keys = parse_key_set(self._fetch(self._url))
            except (OSError, HTTPException, ValueError):
                self._failed_at = self._now()
            else:
                self._fetched_at, self._failed_at = self._now(), None
                return
        if self._passed(self._fetched_at, FRESH_SECONDS + STALE_IF_UNREACHABLE_SECONDS):
            raise KeysUnavailable("keys_unavailable", "the key set cannot be fetched")


def parse_key_set(document: bytes) -> dict[str, PyJWK]:
    """Return the usable keys of a JWK set by id; others are left out. Raises ValueError on other shapes."""
    parsed = json.loads(document)
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWK set")  # noqa: TRY004
    keys: dict[str, PyJWK] = {}
    for entry in entries:
        algorithm = _algorithm(entry)
        if algorithm is None:
            continue
        try:
            key = PyJWK(entry, algorithm)
        except (PyJWTError, ValueError, TypeError, KeyError):
            continue
        if algorithm == "ES256" or key.key.key_size >= SMALLEST_RSA_BITS:
            keys[entry["kid"]] = key
    return keys


def _algorithm(entry: object) -> str | None:
    """Return the one algorithm a JWK may verify with, or None if it is not for us."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
        return None
    kind, curve = entry.get("kty"), entry.get("crv")
    algorithm = (
        ALGORITHMS.get((kind, curve)) if isinstance(kind, str) and isinstance(curve, str | None) else None
    )
    if entry.get("use", "sig") != "sig" or entry.get("alg", algorithm) != algorithm:
        return None
    return algorithm


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def fetch_document(url: str) -> bytes:
    """GET a small document; no redirects, no proxy for loopback. Raises OSError or HTTPException."""
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if urllib.parse.urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}:
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310  # settings checked it
    with opener.open(request, timeout=FETCH_TIMEOUT_SECONDS) as response:
        body: bytes = response.read(LARGEST_DOCUMENT_BYTES + 1)
    if len(body) > LARGEST_DOCUMENT_BYTES:
        raise OSError("the key set is too large")
    return body
