"""Which IP addresses may be connected to: the last gate, after DNS and before the first byte.

In: an address as libcurl is about to use it. Out: a socket, or a refusal. Touches: sockets, unconnected.
Judging the name alone is not enough: whoever owns a name decides what it resolves to, and may change it
between a look-up of ours and libcurl's. So the judgement stands where the connection is made.
"""

import ipaddress
import socket
from typing import Any

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


def may_connect(address: str, *, to_loopback: bool) -> bool:
    """Tell whether an IP address is where its origin belongs.

    With `to_loopback` that is this machine and nothing else; without, the public Internet and nothing else:
    no private, link-local, shared, reserved or multicast address, in whatever notation IPv6 wraps it.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if to_loopback:
        return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback
    ip = _unwrapped(ip)
    return ip.is_global and not (ip.is_multicast or ip.is_loopback or ip.is_unspecified)


class LentSocket(socket.socket):
    """A socket that pycurl duplicates and then drops; it goes without a ResourceWarning."""

    def __del__(self) -> None:
        self.close()


def open_socket(address: Any, *, to_loopback: bool) -> socket.socket | None:
    """Make the socket for an address of libcurl's, or return None where none may go.

    `address` is (family, type, protocol, (host, port, …)).
    """
    family, kind, protocol, where = address
    if family not in (socket.AF_INET, socket.AF_INET6) or not may_connect(where[0], to_loopback=to_loopback):
        return None
    return LentSocket(family, kind, protocol)


def _unwrapped(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped or ip.sixtofour:
        return ip.ipv4_mapped or ip.sixtofour or ip
    if ip.teredo:
        return ip.teredo[1]
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
