"""What the program talks about: values parsed from the database's JSON, and values sent back to it.

Nothing here does anything but hold, parse and dump. Every class is frozen; unknown JSON keys are ignored, so
that a newer database may say more than this version reads. Parse with `X.model_validate(json)`, dump with
`x.as_json()`. Instants are aware datetimes in UTC, ISO 8601 on the wire; durations carry their unit in the
name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import Any, TypeAlias, cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Model(BaseModel):
    """The base of all values: frozen, unknown keys ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    def as_json(self) -> dict[str, Json]:
        """Return the value as plain JSON, under the names of the wire."""
        return cast("dict[str, Json]", self.model_dump(mode="json", by_alias=True))


@dataclass(frozen=True)
class User:
    """A signed-in user: `id` is the token's `sub`, `token` the verified JWT, `claims` what it says."""

    id: str
    token: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


class Operation(StrEnum):
    """What happened to the row."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Status(StrEnum):
    """What a contact's badge shows."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    DRAFT_READY = "draft_ready"
    COMPLETED = "completed"
    FAILED = "failed"


class Kind(StrEnum):
    """Why a notification rings; users switch kinds on and off."""

    DRAFT_READY = "draft_ready"
    COMPLETED = "completed"
    FAILED = "failed"
    FOLLOWUP_DUE = "followup_due"
    TEST = "test"
    DIGEST = "digest"


class Urgency(StrEnum):
    """How soon a device should wake for a message (RFC 8030 §5.3)."""

    VERY_LOW = "very-low"
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class QuietHours(Model):
    """Local wall-clock times between which nothing rings; `start` after `end` spans midnight."""

    start: time = Field(validation_alias=AliasChoices("start", "from"), serialization_alias="from")
    end: time = Field(validation_alias=AliasChoices("end", "until"), serialization_alias="until")


class Preferences(Model):
    """What a user wants to be told, and when; `time_zone` is an IANA name, `language` a BCP 47 tag."""

    kinds: Mapping[str, bool] = Field(default_factory=dict)
    agents: Mapping[str, bool] = Field(default_factory=dict)
    muted_contacts: tuple[str, ...] = ()
    quiet_hours: QuietHours | None = None
    time_zone: str = "UTC"
    language: str = "en"
    digest: bool = True


class Task(Model):
    """A task as `taskbell.describe_task` tells it; `failure` is the agent's own text."""

    status: str | None = None
    contact_id: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    has_draft: bool = False
    failure: str | None = None
    changed_at: datetime | None = None


class Recipient(Model):
    """One user an event concerns.

    `contact_name` is None where this user may not see the contact (or there is none), and empty where the
    contact has no name. `recent_count` counts the user's notifications of the last 60 s, the first of which
    was made at `recent_since`.
    """

    user_id: str
    contact_name: str | None = None
    preferences: Preferences = Field(default_factory=Preferences)
    recent_count: int = 0
    recent_since: datetime | None = None


class Event(Model):
    """A captured change of one task, with its context; `attempt` counts claims from 1."""

    id: int
    task_id: str
    operation: Operation
    occurred_at: datetime
    attempt: int = 1
    task: Task = Field(default_factory=Task)
    recipients: tuple[Recipient, ...] = ()


class Notification(Model):
    """One message to one user, as decided.

    `url` is a path below PUBLIC_URL. `tag` replaces on screen, `topic` in the push service's queue (RFC 8030
    §5.4). `sticky` stays until dismissed. `hold_until` delays it; None means now.
    """

    kind: Kind
    title: str
    body: str
    lang: str
    url: str
    tag: str
    topic: str
    urgency: Urgency
    ttl_seconds: int
    sticky: bool
    contact_name: str | None = None
    agent_name: str | None = None
    hold_until: datetime | None = None


class RecipientDecision(Model):
    """What an event means to one user: the new state (None: the task is gone) and perhaps a notification."""

    user_id: str
    contact_id: str | None
    agent_id: str | None
    agent_name: str | None
    status: Status | None
    reason: str | None = None
    notification: Notification | None = None


class Decision(Model):
    """What is to be done about an event; `dead` is the reason why nothing can be."""

    event_id: int
    task_id: str
    operation: Operation
    occurred_at: datetime
    dead: str | None = None
    recipients: tuple[RecipientDecision, ...] = ()


class Subscription(Model):
    """One browser on one device (RFC 8030), as far as sending needs it; never log it."""

    id: str
    endpoint: str = Field(repr=False)
    origin: str
    p256dh: str = Field(repr=False)
    auth: str = Field(repr=False)
    vapid_public_key: str


class SentNotification(Model):
    """A notification as stored; `event_id` is None for a test, `digest` lets held ones be merged."""

    id: int
    event_id: int | None = None
    user_id: str
    task_id: str | None = None
    contact_id: str | None = None
    agent_id: str | None = None
    kind: Kind
    title: str
    body: str
    lang: str
    url: str
    tag: str
    topic: str | None = None
    urgency: Urgency
    ttl_seconds: int
    sticky: bool = False
    contact_name: str | None = None
    agent_name: str | None = None
    held: bool = False
    digest: bool = True


class Delivery(Model):
    """A notification to one subscription; `attempt` counts tries from 1, `app_badge` contacts unseen.

    `lease` counts how often it was handed out, tried or not: what became of it is told under that number.
    """

    id: int
    lease: int
    attempt: int
    occurred_at: datetime
    expires_at: datetime
    app_badge: int = 0
    notification: SentNotification
    subscription: Subscription


class OutcomeKind(StrEnum):
    """How a try ended; the comment names what follows."""

    ACCEPTED = "accepted"  # done
    RETRY = "retry"  # due again after retry_after_seconds
    GONE = "gone"  # the subscription is retired
    REJECTED = "rejected"  # a dead letter; the subscription stays
    MISCONFIGURED = "misconfigured"  # the push service is left alone for retry_after_seconds
    EXPIRED = "expired"  # too late or tried too often


@dataclass(frozen=True)
class Outcome:
    """How a try ended, what the push service said, and when to try again."""

    kind: OutcomeKind
    status_code: int | None = None
    reason: str | None = None
    retry_after_seconds: float | None = None
