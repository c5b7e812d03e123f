"""Loopback ports that nobody listens on just now."""

import contextlib
import socket


def free_ports(count: int) -> list[int]:
    """Return so many different ones, for servers that cannot choose their own."""
    with contextlib.ExitStack() as exits:
        probes = [exits.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def free_port() -> int:
    """Return one."""
    return free_ports(1)[0]
