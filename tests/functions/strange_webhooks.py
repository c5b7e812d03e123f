"""Generated webhooks: bodies and headers as a stranger, a careless sender or an attacker might send them.

In: a source of chance, a good row, a secret. Out: requests' method, headers and body. Touches nothing.
Most are good requests of which a part was changed, so that every check behind the first one is reached too.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.functions.bell import signed

RAW = "@raw@"
"""Stands in a JSON string for what json.dumps would not write."""

RAW_JSON = [
    "NaN",
    "-Infinity",
    "1e999",
    "-0",
    "1E-9999",
    "9" * 5000,
    "01",
    '"\\u0000"',
    '"\\ud800"',
    "\ufeff",
]
TEXTS = [
    "",
    "\x00",
    "a\u0000b",
    "'; drop table x --",
    "%s",
    "🔔" * 50,
    "\u202e",
    "\ud800",
    "null",
    "x" * 3000,
]
KEYS = [
    "type",
    "table",
    "schema",
    "record",
    "old_record",
    "id",
    "user_id",
    "status",
    "input_data",
    "contactId",
]
HEADERS = ["webhook-id", "webhook-timestamp", "webhook-signature", "x-taskbell-secret", "content-type"]
SCALARS: list[Any] = [None, True, False, 0, -1, 2**31, 2**63, 10**300, 0.1, 1e308, [], {}, RAW]
WORDS = ["INSERT", "UPDATE", "DELETE", "TRUNCATE", "agent_tasks", "contacts", "public", "auth", "completed"]
METHODS = ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]
LARGE_BYTES = 262_145


@dataclass(frozen=True)
class Webhook:
    """One request; `vouched` says that its signature is good."""

    method: str
    body: bytes
    headers: dict[str, str]
    vouched: bool


def generate(chance: random.Random, row: Mapping[str, Any], secret: str) -> Webhook:
    """Return the next request; `row` is a good record of the watched table."""
    body = _body(chance, row)
    method = "POST" if chance.random() < 0.98 else chance.choice(METHODS)
    headers = signed(body, secret=secret) if chance.random() < 0.8 else {"x-taskbell-secret": secret}
    if chance.random() < 0.55:
        return Webhook(method, body, headers, vouched=True)
    return Webhook(method, body, _spoilt(chance, headers), vouched=False)


def _body(chance: random.Random, row: Mapping[str, Any]) -> bytes:
    roll = chance.random()
    if roll < 0.08:
        return chance.randbytes(chance.choice([0, 1, 7, 60, 400]))
    if roll < 0.09:
        return b" " * (LARGE_BYTES - chance.randrange(3))
    if roll < 0.11:
        return chance.choice([b"[", b'{"a":', b'{"record":[']) * chance.choice([10, 500, 20_000])
    payload: Any = {"type": "taskbell.wakeup", "event_id": chance.randrange(9)}
    if roll > 0.2:
        operation = chance.choice(["INSERT", "UPDATE", "DELETE"])
        record = {
            **row,
            "id": chance.choice([str(chance.randrange(40)), row["id"], chance.randbytes(16).hex()]),
        }
        payload = {"type": operation, "table": "agent_tasks", "schema": "public"}
        payload |= {"record": None if operation == "DELETE" else record}
        payload |= {"old_record": None if operation == "INSERT" else {**record, "status": "pending"}}
    for _ in range(chance.choice([0, 0, 1, 1, 2, 5])):
        payload = _changed(chance, payload)
    text = json.dumps(payload, ensure_ascii=chance.random() < 0.5)
    while json.dumps(RAW) in text:
        text = text.replace(json.dumps(RAW), chance.choice(RAW_JSON), 1)
    encoded = text.encode("utf-8", "surrogatepass")
    return _damaged(chance, encoded) if chance.random() < 0.1 else encoded


def _changed(chance: random.Random, value: Any) -> Any:
    """Return JSON of which one part, somewhere, is another."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice([*value, chance.choice(KEYS)])
        if chance.random() < 0.15:
            return {name: kept for name, kept in value.items() if name != key}
        return {**value, key: _changed(chance, value.get(key))}
    if isinstance(value, list) and value:
        return [*value[1:], _changed(chance, value[0])]
    return chance.choice([chance.choice(SCALARS), chance.choice(TEXTS), chance.choice(WORDS), _nest(chance)])


def _nest(chance: random.Random) -> Any:
    nested: Any = chance.choice(SCALARS)
    for _ in range(chance.choice([1, 3, 120])):
        nested = [nested] if chance.random() < 0.5 else {chance.choice(KEYS + TEXTS): nested}
    return nested


def _damaged(chance: random.Random, body: bytes) -> bytes:
    at = chance.randrange(len(body) + 1)
    return chance.choice(
        [
            body[:at],
            body[:at] + chance.randbytes(3) + body[at:],
            body + b"\x00",
            b"\xef\xbb\xbf" + body,
            body * 2,
        ]
    )


def _spoilt(chance: random.Random, good: Mapping[str, str]) -> dict[str, str]:
    """Return headers of which one at least vouches for nothing any more."""
    headers = dict(good)
    names = [name for name in headers if name != "content-type"]
    name = chance.choice(names)
    match chance.randrange(5):
        case 0:
            del headers[name]
        case 1:
            headers[name] = _header_text(chance)
        case 2:
            # Spaces before a signature mean nothing, nor do the last bits of its base64.
            at = chance.randrange(1, max(2, len(headers[name]) - 2))
            headers[name] = headers[name][:at] + chance.choice("éA=,. ") * 2 + headers[name][at:]
        case 3:
            headers = {one: _header_text(chance) for one in chance.sample(HEADERS, 3)}
        case _:
            shift = chance.choice([-1, 1]) * chance.choice([301, 3600, 10**9])
            headers = {**headers, "webhook-timestamp": str(int(time.time()) + shift)}
            headers.pop("x-taskbell-secret", None)
    return headers


def _header_text(chance: random.Random) -> str:
    letters = [chr(chance.randrange(32, 256)) for _ in range(chance.choice([0, 1, 20, 300]))]
    return "".join(one for one in letters if one != "\x7f")
