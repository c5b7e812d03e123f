"""What bodies are made of: the two base models and the types of their fields.

In: JSON from strangers. Out: typed values, and the JSON Schemas of the OpenAPI document. Touches nothing.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

# Postgres cannot store U+0000 in text; ids and names hold no control characters at all.
_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"

Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)]
"""Id of the application's rows: a UUID or a number, as text."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=_LINE)]
"""One line that a person reads."""

Prose = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]
"""Text of several lines."""

RowId = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
"""Id of a row as it goes out: always text, though a project's own tables may count in numbers."""

Timestamp = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""ISO 8601, UTC."""

TaskStatus = Literal["pending", "in_progress", "draft_ready", "completed", "failed"]


class Asked(BaseModel):
    """Base of request bodies: exact types, unknown keys ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)


class Answered(BaseModel):
    """Base of answers: only what is declared leaves, whatever the database adds."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class ErrorDetail(Answered):
    """Why a request was refused."""

    reason: str = Field(description="A stable slug.")
    message: str = Field(description="A sentence for people.")


class ErrorBody(Answered):
    """The body of every refusal."""

    error: ErrorDetail
