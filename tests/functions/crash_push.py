"""A push service that kills its sender: as it connects, or after so and so many pushes, unanswered.

In: pushes. Out: what `PushService` answers, unless the sender died. Touches the trap.
"""

from __future__ import annotations

import asyncio

from tests.functions.crash_trap import Point, Trap
from tests.stand_ins.push_service import PushService
from tests.stand_ins.push_service_rules import Request
from tests.stand_ins.push_service_wire import Reply

HELD_SECONDS = 2.0  # less than a sender waits


class DeadlyPushService(PushService):
    """Counts pushes from `expect` on, which says how many of them a round has."""

    def __init__(self, trap: Trap) -> None:
        super().__init__()
        self._trap = trap
        self._arrived = self._expected = 0

    def expect(self, pushes: int) -> None:
        """Begin a round of so many pushes."""
        self._arrived, self._expected = 0, pushes

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._trap.reached(Point.PUSH_CONNECT):
            writer.transport.abort()
            return
        await super()._connected(reader, writer)

    async def _handle(self, request: Request) -> Reply:
        reply = await super()._handle(request)
        self._arrived += 1
        if self._arrived == 1:
            self._trap.reached(Point.PUSH_FIRST)
        if self._arrived * 2 >= self._expected:
            self._trap.reached(Point.PUSH_HALF)
        if self._arrived == self._expected:
            self._trap.reached(Point.PUSH_ALL)
        elif self._trap.waits_for(Point.PUSH_ALL):
            await asyncio.sleep(HELD_SECONDS)
        return reply
