"""A client of Marionette, the remote control built into Firefox.

In: WebDriver commands. Out: their results, or MarionetteError. Touches: one loopback connection.
Source: Firefox source docs, "Marionette protocol": packets are `length:[type, id, command, arguments]`.
"""

import json
import socket
from typing import Any

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element reference (WebDriver, 12.2)


class MarionetteError(Exception):
    """Firefox refused a command; `reason` is WebDriver's error code."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason


class Marionette:
    """One session of a running Firefox."""

    def __init__(self, port: int, *, timeout_seconds: float = 30) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds)
        self._reader = self._socket.makefile("rb")
        self._last_id = 0
        self._receive()  # Firefox speaks first
        self.send("WebDriver:NewSession", {"timeouts": {"script": int(timeout_seconds * 1000)}})

    def send(self, command: str, parameters: dict[str, Any] | None = None) -> Any:
        """Send one command and return its result."""
        self._last_id += 1
        packet = json.dumps([0, self._last_id, command, parameters or {}]).encode()
        self._socket.sendall(b"%d:%b" % (len(packet), packet))
        _, answered_id, error, result = self._receive()
        if answered_id != self._last_id:
            raise MarionetteError("protocol", f"answer {answered_id} to command {self._last_id}")
        if error:
            raise MarionetteError(error["error"], error["message"])
        return result["value"] if isinstance(result, dict) and set(result) == {"value"} else result

    def close(self) -> None:
        """Hang up; Firefox goes on."""
        self._reader.close()
        self._socket.close()

    def _receive(self) -> Any:
        length = b""
        while (byte := self._reader.read(1)) != b":":
            if not byte:
                raise ConnectionError("Firefox hung up")
            length += byte
        return json.loads(self._reader.read(int(length)))
