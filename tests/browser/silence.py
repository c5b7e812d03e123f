"""Where a tab goes for as long as a story needs: a server that takes a request and never answers.

In: one request. Out: nothing. Touches: one loopback port.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Silence:
    """`url` is its address; the tab that goes there stays where it is, and is being left."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(20)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Wait until it is asked, and keep the one who asks waiting until the block ends."""
        connection, _ = self._server.accept()
        with connection:
            yield

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
