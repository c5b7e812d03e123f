"""Loopback ports that nobody listens on just now."""

from taskbell_local.ports import free_ports


def free_port() -> int:
    """Return one."""
    return free_ports(1)[0]
