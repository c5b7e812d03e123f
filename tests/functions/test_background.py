"""The stand-ins' servers leave nothing open, so that what a test finds unclosed is our own."""

import asyncio
import contextlib
import gc
import socket

import pytest

from tests.stand_ins.background import Background, stop_serving


@pytest.mark.parametrize("steps", range(6))
def test_a_server_that_stops_while_clients_come_leaves_none_of_them_open(steps: int) -> None:
    """What is left is found by the collector; pytest makes its warning an error of this test."""
    clients: list[socket.socket] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await reader.read()
        writer.transport.abort()

    async def come_and_stop() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        clients.extend(socket.create_connection(server.sockets[0].getsockname()) for _ in range(20))
        for _ in range(steps):  # queued, accepted, given a transport, served
            await asyncio.sleep(0)
        await stop_serving(server)

    with Background() as background:
        background.run(come_and_stop())
    gc.collect()
    for client in clients:
        with client, contextlib.suppress(ConnectionResetError):
            client.settimeout(5)
            assert b"" == client.recv(1)
