"""One request in flight: a libcurl handle, made once and used for one message after another.

In: requests. Out: PushResponses. Touches: the handle; the network only when the loop performs it.
"""

import socket
import time
from typing import Any

import pycurl

from taskbell.push.address import open_socket
from taskbell.push.message import PushResponse, failure
from taskbell.push.request import PushRequest
from taskbell.push.response import ERROR_SLUGS, LARGEST_BODY_BYTES, read_answer

CONNECT_TIMEOUT_MS = 2_000
LONGEST_TRANSFER_MS = 10_000


class Transfer:
    """A handle with everything set that is the same for every message."""

    def __init__(self, ca_file: str) -> None:
        self.handle: Any = pycurl.Curl()
        self._header_lines: list[bytes] = []
        self._body: list[bytes] = []
        self._to_loopback = False
        self._address_refused = False
        for option, value in (
            (pycurl.POST, 1),
            (pycurl.NOSIGNAL, 1),  # signals and threads do not mix
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
            (pycurl.CAINFO, ca_file),
            (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTPS | pycurl.PROTO_HTTP),
            (pycurl.NOPROXY, "*"),  # behind a proxy of the environment, addresses could not be judged
            (pycurl.CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS),
            (pycurl.MAXFILESIZE, LARGEST_BODY_BYTES),
            (pycurl.OPENSOCKETFUNCTION, self._open_socket),
            # Not functions of ours: a call into Python for every header line would cost as much as the
            # request.
            (pycurl.HEADERFUNCTION, self._header_lines.append),
            (pycurl.WRITEFUNCTION, self._body.append),
        ):
            self.handle.setopt(option, value)

    def prepare(
        self, request: PushRequest, *, to_loopback: bool, share_connection: bool, timeout_seconds: float
    ) -> None:
        """Set what differs from message to message; the clock of the transfer starts.

        With `share_connection`, wait for a stream on a connection that is being made rather than make
        another.
        """
        self._header_lines.clear()
        self._body.clear()
        self._to_loopback = to_loopback
        self._address_refused = False
        self._started_at = time.monotonic()
        handle = self.handle
        handle.setopt(pycurl.URL, request.url)
        handle.setopt(pycurl.HTTPHEADER, request.headers)
        handle.setopt(pycurl.POSTFIELDS, request.body)
        handle.setopt(pycurl.PIPEWAIT, share_connection)
        handle.setopt(pycurl.TIMEOUT_MS, max(1, min(LONGEST_TRANSFER_MS, int(timeout_seconds * 1000))))

    def response(self, curl_error: int) -> PushResponse:
        """Return what came of it; `curl_error` is 0 where libcurl saw a whole answer.

        A status that was received counts, whatever happened to the rest: the push service has decided.
        """
        elapsed_seconds = time.monotonic() - self._started_at
        status_code = self.handle.getinfo(pycurl.RESPONSE_CODE)
        if status_code >= 200:  # below that, answers are interim
            return read_answer(status_code, self._header_lines, self._body, elapsed_seconds)
        if self._address_refused:
            return failure("refused_address", elapsed_seconds)
        return failure(ERROR_SLUGS.get(curl_error, "connection_failed"), elapsed_seconds)

    @property
    def connected(self) -> bool:
        """Whether it got as far as having a connection to send on."""
        return bool(self.handle.getinfo(pycurl.REQUEST_SIZE) > 0)

    @property
    def multiplexed(self) -> bool:
        """Whether the answer came over HTTP/2."""
        return bool(self.handle.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0)

    def _open_socket(self, _purpose: int, address: Any) -> socket.socket | int:
        opened = open_socket(address, to_loopback=self._to_loopback)
        if opened is None:
            self._address_refused = True
            return int(pycurl.SOCKET_BAD)
        return opened
