"""What a push service's name resolves to must be on the Internet, what is ours on this machine."""

import socket

import pytest

from taskbell.push.address import may_connect, open_socket

PUBLIC = ["142.250.185.74", "17.188.143.34", "2a00:1450:4001:82f::200a", "::ffff:142.250.185.74"]
LOOPBACK = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]
INSIDE = [
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104
    "255.255.255.255",
    "224.0.0.1",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_for_push_services(address: str) -> None:
    assert may_connect(address, to_loopback=False)
    assert not may_connect(address, to_loopback=True)


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_is_only_for_origins_named_so(address: str) -> None:
    assert not may_connect(address, to_loopback=False)
    assert may_connect(address, to_loopback=True)


@pytest.mark.parametrize("address", [*INSIDE, "", "localhost", "1.2.3"])
def test_inner_addresses_are_for_nobody(address: str) -> None:
    assert not may_connect(address, to_loopback=False)
    assert not may_connect(address, to_loopback=True)


def test_a_socket_is_made_only_where_it_may_go() -> None:
    kind, protocol = socket.SOCK_STREAM, socket.IPPROTO_TCP
    assert open_socket((socket.AF_INET, kind, protocol, ("10.0.0.1", 443)), to_loopback=False) is None
    assert open_socket((socket.AF_UNIX, kind, 0, "/run/docker.sock"), to_loopback=True) is None
    opened = open_socket((socket.AF_INET, kind, protocol, ("127.0.0.1", 443)), to_loopback=True)
    assert opened is not None
    opened.close()
