"""The clients that are compared: what most people write, the fastest of what pywebpush offers, and ours.

In: subscriptions. Out: nothing, or an AssertionError if a push was not accepted. Touches: the network.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import pywebpush
import requests

from taskbell.push import AllowedOrigins, Sender
from tests.stand_ins.push_messages import SUBJECT, TOPIC, message_to, new_vapid

PAYLOAD = b'{"web_push": 8030, "notification": {"title": "Draft ready for Ada Lovelace"' + b" " * 420 + b"}}"
IN_FLIGHT = 100

Subscriptions = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Surroundings:
    """What every client is given: the same key, the same authorities to trust, the same push service."""

    private_key: str
    ca_file: str
    origin: str


class Client(Protocol):
    """Something that sends; connections may be kept from call to call."""

    name: str
    most: int  # messages in one round, where more would take minutes

    def send(self, subscriptions: Subscriptions) -> None:
        """Send one push to each."""

    def cpu_seconds(self) -> float:
        """Return the processor time that it has taken so far."""

    def close(self) -> None:
        """Let go of connections."""


class InThisProcess:
    """A client whose processor time is that of this process."""

    def cpu_seconds(self) -> float:
        return time.process_time()


class PywebpushLoop(InThisProcess):
    """`webpush()` for one subscription after the other, as in its README."""

    name = "pywebpush, loop"
    most = 20

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._session: requests.Session | None = None

    def send(self, subscriptions: Subscriptions) -> None:
        for subscription in subscriptions:
            answer = pywebpush.webpush(
                subscription,
                PAYLOAD,
                self._surroundings.private_key,
                {"sub": SUBJECT},
                ttl=60,
                timeout=10,
                headers={"Topic": TOPIC, "Urgency": "normal"},
                requests_session=self._session,
            )
            assert answer.status_code == 201

    def close(self) -> None:
        if self._session:
            self._session.close()


class PywebpushSession(PywebpushLoop):
    """The same with one connection for all."""

    name = "pywebpush, loop, one session"
    most = 50

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._session = requests.Session()


class PywebpushAsync(InThisProcess):
    """`webpush_async()` for all at once over one session of 100 connections."""

    name = "pywebpush, async, shared session"
    most = 1000

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._open())

    async def _open(self) -> aiohttp.ClientSession:
        context = ssl.create_default_context(cafile=self._surroundings.ca_file)
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT, ssl=context))

    def send(self, subscriptions: Subscriptions) -> None:
        async def send_all() -> None:
            await asyncio.gather(*(self._send_one(subscription) for subscription in subscriptions))

        self._runner.run(send_all())

    async def _send_one(self, subscription: Mapping[str, Any]) -> None:
        answer = await pywebpush.webpush_async(
            subscription,
            PAYLOAD,
            self._surroundings.private_key,
            {"sub": SUBJECT},
            ttl=60,
            timeout=aiohttp.ClientTimeout(60),
            headers={"Topic": TOPIC, "Urgency": "normal"},
            aiohttp_session=self._session,
        )
        assert answer.status == 201

    def close(self) -> None:
        self._runner.run(self._session.close())
        self._runner.close()


class Taskbell(InThisProcess):
    """Ours."""

    name = "Taskbell"
    most = 1000

    def __init__(self, surroundings: Surroundings) -> None:
        self._vapid = new_vapid(surroundings.private_key)
        self._sender = Sender(
            self._vapid,
            allowed_origins=AllowedOrigins([surroundings.origin]),
            ca_file=surroundings.ca_file,
            max_streams=IN_FLIGHT,
        )

    def send(self, subscriptions: Subscriptions) -> None:
        messages = [message_to(each, self._vapid, payload=PAYLOAD) for each in subscriptions]
        responses = self._sender.send(messages, budget_seconds=60)
        assert {201} == {response.status_code for response in responses}

    def close(self) -> None:
        self._sender.close()


PEERS: tuple[Any, ...] = (PywebpushLoop, PywebpushSession, PywebpushAsync)
