"""What does it say? Turns verified bytes into a wake-up or a row's change.

In: at most 256 KB of JSON. Out: `WakeUp` or `RowChange`, or `BodyTooLarge`, `BadRequest`, `Unprocessable`. No
I/O. What passes here can be stored by Postgres as jsonb.
"""

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import from_json

from taskbell.errors import BadRequest, BodyTooLarge, Unprocessable
from taskbell.model import Json

MAX_BODY_BYTES = 256 * 1024
"""Larger bodies are refused unread; pg_net and the dashboard send whole rows, which are far smaller."""

MAX_INTEGER_BITS = 4096
"""Python refuses to write integers of more than 4,300 digits, and nobody has meant one yet."""


class WakeUp(BaseModel):
    """The database says: look now. The event it names is in the outbox already."""

    model_config = ConfigDict(frozen=True)

    type: Literal["taskbell.wakeup"]


class RowChange(BaseModel):
    """A webhook made in Supabase's dashboard: the whole row, no id, no time (supabase.com/docs: Webhooks)."""

    model_config = ConfigDict(frozen=True)

    type: Literal["INSERT", "UPDATE", "DELETE"]
    table: str = Field(min_length=1, max_length=63)
    schema_name: str = Field(alias="schema", min_length=1, max_length=63)
    record: dict[str, Any] | None = None
    old_record: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _row_is_there(self) -> "RowChange":
        if (self.old_record if self.type == "DELETE" else self.record) is None:
            raise ValueError("the row is missing")
        return self

    def as_json(self) -> dict[str, Json]:
        """Return the payload under its own names, without keys that we do not know."""
        return self.model_dump(by_alias=True)


_PAYLOAD: TypeAdapter[WakeUp | RowChange] = TypeAdapter(WakeUp | RowChange)


def parse(body: bytes) -> WakeUp | RowChange:
    """Return what `body` says.

    Raises BodyTooLarge `body_too_large`, BadRequest `bad_json` (no JSON in UTF-8, or nested out of measure),
    Unprocessable `bad_shape`. Unknown keys are ignored.
    """
    if len(body) > MAX_BODY_BYTES:
        raise too_large()
    try:
        payload = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise BadRequest("bad_json", "The body is not JSON in UTF-8.") from None
    try:
        parsed = _PAYLOAD.validate_python(payload)
    except ValidationError:
        raise Unprocessable(
            "bad_shape", "The body is neither a wake-up nor a database webhook with its row."
        ) from None
    if not _storable(payload):
        raise Unprocessable("bad_shape", "The body holds a character or a number that Postgres cannot store.")
    return parsed


def too_large() -> BodyTooLarge:
    """Return the refusal of a body that is over the limit."""
    return BodyTooLarge("body_too_large", f"The body is larger than {MAX_BODY_BYTES // 1024} KB.")


def _storable(payload: object) -> bool:
    """Return whether jsonb takes it: no NUL (postgresql.org/docs: JSON types), no number beyond a double."""
    waiting = [payload]
    while waiting:
        match waiting.pop():
            case str() as text:
                if "\x00" in text:
                    return False
            case int() as number:
                if number.bit_length() > MAX_INTEGER_BITS:
                    return False
            case float() as number:
                if not math.isfinite(number):
                    return False
            case list() as items:
                waiting.extend(items)
            case dict() as entries:
                waiting.extend(entries)
                waiting.extend(entries.values())
    return True
