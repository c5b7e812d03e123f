"""Reads a push service's answer.

In: libcurl's result, header lines, body. Out: a PushResponse. Touches: nothing.
"""

import json
import re
from collections.abc import Sequence

import pycurl

from taskbell.push.message import PushResponse

LARGEST_BODY_BYTES = 16 * 1024  # what follows is not read; no reason is that long
LONGEST_HEADER_VALUE = 200

# libcurl's error codes; every other one is `connection_failed`, because nothing is known to have arrived.
ERROR_SLUGS = {
    pycurl.E_OPERATION_TIMEDOUT: "timeout",
    pycurl.E_SSL_CONNECT_ERROR: "tls_failed",
    pycurl.E_PEER_FAILED_VERIFICATION: "tls_failed",
    pycurl.E_SSL_CACERT_BADFILE: "tls_failed",
    pycurl.E_SSL_CERTPROBLEM: "tls_failed",
    pycurl.E_SSL_CIPHER: "tls_failed",
    pycurl.E_SSL_ISSUER_ERROR: "tls_failed",
    pycurl.E_SEND_ERROR: "reset",
    pycurl.E_RECV_ERROR: "reset",
    pycurl.E_GOT_NOTHING: "reset",
    pycurl.E_PARTIAL_FILE: "reset",
    pycurl.E_WRITE_ERROR: "reset",
    pycurl.E_HTTP2: "reset",
    92: "reset",  # CURLE_HTTP2_STREAM, which pycurl has no name for
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "reset",
    pycurl.E_UNSUPPORTED_PROTOCOL: "reset",  # what answered does not speak HTTP/1 or 2
}

_REASON = re.compile(r"[A-Za-z][A-Za-z ]{0,59}", re.ASCII)


def read_answer(
    status_code: int,
    header_lines: Sequence[bytes],
    body: Sequence[bytes],
    elapsed_seconds: float,
) -> PushResponse:
    """Return what a push service answered; `header_lines` may begin with those of interim (1xx) answers."""
    if status_code < 300:  # accepted: nothing else matters, and this is nearly every answer
        return PushResponse(status_code, elapsed_seconds=elapsed_seconds)
    headers = _read_headers(header_lines)
    wns_reason = headers.get("x-wns-error-description")
    return PushResponse(
        status_code,
        retry_after=headers.get("retry-after"),
        elapsed_seconds=elapsed_seconds,
        wns_status=headers.get("x-wns-status") or headers.get("x-wns-notificationstatus"),
        service_reason=_slug(wns_reason) if wns_reason else _reason_in(b"".join(body)),
    )


def _read_headers(lines: Sequence[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            headers[name.lower()] = value.strip()[:LONGEST_HEADER_VALUE]
        elif line.startswith(b"HTTP/"):
            headers.clear()  # a new answer begins
    return headers


def _reason_in(body: bytes) -> str | None:
    """Find the reason that Apple (`reason`) or Mozilla (`errno`) gives; nothing that could echo a secret."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    errno = answer.get("errno")
    if isinstance(errno, int) and 0 <= errno < 1000:  # Mozilla's have three digits
        return f"errno {errno}"
    return _slug(answer.get("reason"))


def _slug(text: object) -> str | None:
    return text if isinstance(text, str) and _REASON.fullmatch(text) else None
