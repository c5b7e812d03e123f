"""One channel of Supabase Realtime on one socket: who joined it, with which token, and what it is told.

In: frames of that topic. Out: frames. Touches the database through what the server lends it.

The sentences of refusals and the order of messages are the real one's (supabase/realtime,
`RealtimeWeb.RealtimeChannel`), its pause of seconds before a refusal is not.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import jwt

from tests.stand_ins.realtime_changes import Changes, Listening, with_ids
from tests.stand_ins.realtime_database import ChannelDatabase, Claims
from tests.stand_ins.realtime_wire import Broadcast, Frame, Payload

Send = Callable[[Frame], Awaitable[None]]


class Project(Protocol):
    """What a channel asks of the server."""

    database: ChannelDatabase
    changes: Changes
    refusal: str | None

    def verify(self, token: str) -> Claims: ...


class RefusedJoin(Exception):  # noqa: N818
    """Carries the `reason` of the reply."""


class Channel:
    """`topic` is what came after `realtime:`."""

    def __init__(self, project: Project, join: Frame, send: Send, gone: Callable[["Channel"], None]) -> None:
        self.topic = join.topic.removeprefix("realtime:")
        self.claims: Claims = {}
        config = join.payload.get("config") or {}
        self._project = project
        self._join = join
        self._send = send
        self._gone = gone
        self._private = bool(config.get("private"))
        self._wishes = with_ids(config.get("postgres_changes") or [])
        self._presence = bool((config.get("presence") or {}).get("enabled"))
        self._listening: Listening | None = None
        self._end_of_token: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def admit(self, anonymous: Claims) -> None:
        """Return if the client may join, or raise RefusedJoin; without a token it is nobody in particular."""
        if self._project.refusal is not None:
            raise RefusedJoin(self._project.refusal)
        token = str(self._join.payload.get("access_token") or "")
        self.claims = anonymous if token in ("", "None") or token.startswith("sb_") else self._verify(token)
        await self._check()

    async def welcome(self) -> None:
        """Answer the join; by now the channel hears what is sent to it."""
        wishes: list[Payload] = self._wishes
        await self._reply("ok", {"postgres_changes": wishes})
        if self._presence:
            await self._push("presence_state", {})
        if wishes:
            self._listening = Listening(wishes, self.claims, self._tell_change)
            self._later(self._listen(self._listening))

    async def new_token(self, token: str) -> None:
        """Go on with another token, or end where it is no good."""
        if token.startswith("sb_"):
            return
        try:
            self.claims = self._verify(token)
            await self._check()
        except RefusedJoin as refused:
            await self.shut_down(str(refused))
        if self._listening is not None:
            self._listening.claims = self.claims

    async def broadcast(self, message: Broadcast, send: Callable[[Broadcast], Awaitable[None]]) -> None:
        """Pass a message on if it is for this channel."""
        if message.topic == self.topic and message.private == self._private:
            await send(message)

    async def leave(self, ref: str | None) -> None:
        """Let the client go."""
        await self._send(Frame(self._join.topic, "phx_reply", _reply("ok", {}), ref, self._join.join_ref))
        await self._close()

    async def shut_down(self, reason: str) -> None:
        """End the channel from our side: say why, and close it."""
        said = {"extension": "system", "status": "error", "message": reason, "channel": self.topic}
        await self._push("system", said)
        await self._close()

    def forget(self) -> None:
        """Let go of everything; the socket is gone, or the channel is joined anew."""
        if self._end_of_token is not None:
            self._end_of_token.cancel()
        if self._listening is not None:
            self._project.changes.remove(self._listening)
        for task in self._tasks:
            task.cancel()

    async def refuse(self, reason: str) -> None:
        """Answer the join with an error."""
        await self._reply("error", {"reason": reason})

    async def _close(self) -> None:
        self.forget()
        self._gone(self)
        await self._send(Frame(self._join.topic, "phx_close", {}, self._join.join_ref, self._join.join_ref))

    def _verify(self, token: str) -> Claims:
        try:
            claims = self._project.verify(token)
        except jwt.ExpiredSignatureError:
            raise RefusedJoin("InvalidJWTToken: Token has expired") from None
        except jwt.DecodeError:
            raise RefusedJoin("MalformedJWT: The token provided is not a valid JWT") from None
        except jwt.InvalidTokenError:
            raise RefusedJoin("JwtSignatureError: Failed to validate JWT signature") from None
        if self._end_of_token is not None:
            self._end_of_token.cancel()
        self._end_of_token = asyncio.get_running_loop().call_later(
            claims["exp"] - time.time(),
            lambda: self._later(self.shut_down("Token has expired 0 seconds ago")),
        )
        return claims

    async def _check(self) -> None:
        if self._private and not await self._project.database.may_listen(self.topic, self.claims):
            raise RefusedJoin(
                f"Unauthorized: You do not have permissions to read from this Channel topic: {self.topic}"
            )

    async def _listen(self, listening: Listening) -> None:
        trouble = await self._project.changes.add(listening)
        said = {"extension": "postgres_changes", "channel": self.topic}
        if trouble is None:
            await self._push("system", said | {"status": "ok", "message": "Subscribed to PostgreSQL"})
        else:
            await self._push("system", said | {"status": "error", "message": trouble})

    async def _tell_change(self, ids: list[int], data: Payload) -> None:
        await self._send(Frame(self._join.topic, "postgres_changes", {"ids": ids, "data": data}))

    async def _reply(self, status: str, response: Payload) -> None:
        join = self._join
        await self._send(Frame(join.topic, "phx_reply", _reply(status, response), join.ref, join.join_ref))

    async def _push(self, event: str, payload: Payload) -> None:
        await self._send(Frame(self._join.topic, event, payload, join_ref=self._join.join_ref))

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _reply(status: str, response: Payload) -> Payload:
    return {"status": status, "response": response}
