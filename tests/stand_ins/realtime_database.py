"""What Supabase Realtime asks of a project's database for its channels.

In: topics and the claims of whoever joins. Out: whether they may listen, and every message that
`realtime.send` left. Touches `realtime.messages`, as the superuser: it adds a trigger that notifies (the real
one reads the write-ahead log instead).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Self

import psycopg

from tests.stand_ins.realtime_wire import Broadcast

Claims = dict[str, Any]
Connection = psycopg.AsyncConnection[tuple[Any, ...]]

TELL = """
create or replace function realtime.stand_in_tells() returns trigger language plpgsql as $$
begin
  perform pg_notify('realtime_messages', new.id::text);
  return null;
end
$$;
create or replace trigger stand_in_tells after insert on realtime.messages
for each row execute function realtime.stand_in_tells();
"""


class ChannelDatabase:
    """Two connections: one asks, the other listens."""

    def __init__(self, asking: Connection, listening: Connection) -> None:
        self._asking = asking
        self._listening = listening
        self._turn = asyncio.Lock()

    @classmethod
    async def connect(cls, superuser_url: str) -> Self:
        """Connect, and listen from now on."""
        asking, listening = [
            await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) for _ in range(2)
        ]
        await asking.execute(TELL)
        await listening.execute("listen realtime_messages")
        return cls(asking, listening)

    async def close(self) -> None:
        await self._asking.close()
        await self._listening.close()

    async def may_listen(self, topic: str, claims: Claims) -> bool:
        """Ask the policies of `realtime.messages` whether this role, with these claims, may read a topic.

        As the real one does it: write a message of the topic, look whether the caller sees it, roll back.
        """
        async with self._turn, self._asking.transaction(force_rollback=True):
            cursor = await self._asking.execute(
                "insert into realtime.messages (topic, extension) values (%s, 'broadcast') returning id",
                [topic],
            )
            [(message_id,)] = await cursor.fetchall()
            try:
                await become(self._asking, claims, topic)
                cursor = await self._asking.execute(
                    "select from realtime.messages where id = %s and topic = %s", [message_id, topic]
                )
            except psycopg.Error:  # no such role, or a policy that fails
                return False
            return len(await cursor.fetchall()) == 1

    async def messages(self) -> AsyncIterator[Broadcast]:
        """Yield every message that is committed, in order."""
        async for notify in self._listening.notifies():
            async with self._turn:
                cursor = await self._asking.execute(
                    "select topic, event, payload, private, id::text from realtime.messages where id = %s",
                    [notify.payload],
                )
                rows = await cursor.fetchall()
            for row in rows:
                yield Broadcast(*row)


async def become(connection: Connection, claims: Claims, topic: str = "") -> None:
    """Take a user's part until the transaction ends."""
    await connection.execute(
        "select set_config('role', %s, true), set_config('realtime.topic', %s, true),"
        " set_config('request.jwt.claims', %s, true)",
        [str(claims.get("role", "")), topic, json.dumps(claims)],
    )
