"""The frames of Supabase Realtime's WebSocket, in both versions that clients ask for.

In: what came over the socket. Out: frames, and what goes over the socket. Touches nothing.

Version 1.0.0 (the Python client) is Phoenix's JSON objects; 2.0.0 (the JavaScript client) is Phoenix's JSON
arrays, with broadcasts in binary frames of their own: one byte each for the kind and the lengths, then the
parts (supabase/realtime, `V2Serializer`).
"""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

USER_BROADCAST_PUSH, USER_BROADCAST = 3, 4
JSON_ENCODING = 1

Wire = str | bytes
Payload = dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """One message; a reply carries the `ref` of what it answers, `join_ref` names the life of a channel."""

    topic: str
    event: str
    payload: Payload = field(default_factory=dict)
    ref: str | None = None
    join_ref: str | None = None


@dataclass(frozen=True)
class Broadcast:
    """A message of the database's to everybody on a topic, which has no `realtime:` before it."""

    topic: str
    event: str
    payload: Any
    private: bool
    id: str


class Serializer(Protocol):
    """One version of the protocol."""

    def decode(self, wire: Wire) -> Frame: ...

    def encode(self, frame: Frame) -> Wire: ...

    def broadcast(self, message: Broadcast) -> Wire: ...


class Version1:
    """JSON objects."""

    def decode(self, wire: Wire) -> Frame:
        said = json.loads(wire)
        return Frame(said["topic"], said["event"], said["payload"], said.get("ref"), said.get("join_ref"))

    def encode(self, frame: Frame) -> Wire:
        said = {"topic": frame.topic, "event": frame.event, "payload": frame.payload, "ref": frame.ref}
        return json.dumps(said)

    def broadcast(self, message: Broadcast) -> Wire:
        payload = {
            "type": "broadcast",
            "event": message.event,
            "payload": message.payload,
            "meta": {"id": message.id},
        }
        return self.encode(Frame(f"realtime:{message.topic}", "broadcast", payload))


class Version2:
    """JSON arrays, and bytes."""

    def decode(self, wire: Wire) -> Frame:
        if isinstance(wire, bytes):
            return _pushed_broadcast(wire)
        join_ref, ref, topic, event, payload = json.loads(wire)
        return Frame(topic, event, payload, ref, join_ref)

    def encode(self, frame: Frame) -> Wire:
        return json.dumps([frame.join_ref, frame.ref, frame.topic, frame.event, frame.payload])

    def broadcast(self, message: Broadcast) -> Wire:
        meta = json.dumps({"id": message.id})
        parts = [part.encode() for part in (f"realtime:{message.topic}", message.event, meta)]
        head = bytes([USER_BROADCAST, *map(len, parts), JSON_ENCODING])
        return b"".join([head, *parts, json.dumps(message.payload).encode()])


def _pushed_broadcast(wire: bytes) -> Frame:
    kind, *lengths, encoding = wire[:7]
    if kind != USER_BROADCAST_PUSH or encoding != JSON_ENCODING:
        raise ValueError(f"no such frame: kind {kind}, encoding {encoding}")
    parts, at = [], 7
    for length in lengths:
        parts.append(wire[at : at + length].decode())
        at += length
    join_ref, ref, topic, event, _ = parts
    return Frame(topic, "broadcast", {"event": event, "payload": json.loads(wire[at:])}, ref, join_ref)


SERIALIZERS: dict[str, Serializer] = {"1.0.0": Version1(), "2.0.0": Version2()}
