"""/v1/preferences: what rings, and when.

In: a whole set of preferences; what is left out takes its default. Out: the set as stored. Touches the
database as the service, for the verified user.
"""

import zoneinfo
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from taskbell.api.refusal import BAD_BODY, Refused
from taskbell.api.route import Answer, Call, Route
from taskbell.api.shapes import Answered, Asked, Id
from taskbell.errors import GatewayError
from taskbell.gateway import Gateway
from taskbell.model import Json

MOST_AGENTS = 200
MOST_MUTED_CONTACTS = 1_000
# SQLSTATE: Postgres has a list of time zones of its own, which may be older or newer than ours.
INVALID_PARAMETER_VALUE = "22023"


def _known_time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("this is no IANA time zone name, such as Europe/Berlin") from error
    return name


def _each_once(contacts: list[str]) -> list[str]:
    return list(dict.fromkeys(contacts))


ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""HH:MM on a 24-hour clock."""

TimeZone = Annotated[
    str,
    StringConstraints(max_length=64, pattern=r"^[A-Z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+){0,2}$"),
    AfterValidator(_known_time_zone),
]
"""An IANA name, as Intl.DateTimeFormat gives it."""

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
"""A BCP 47 tag."""


class Kinds(Asked):
    """Which kinds of notification ring."""

    draft_ready: bool = True
    completed: bool = True
    failed: bool = True
    followup_due: bool = True


class QuietHours(Asked):
    """From when until when nothing rings, by the clock of the user's time zone; may span midnight."""

    start: ClockTime = Field(alias="from")
    end: ClockTime = Field(alias="until")

    @model_validator(mode="after")
    def _last_some_time(self) -> "QuietHours":
        if self.start == self.end:
            raise ValueError("begin and end are the same minute: set them apart, or send null")
        return self


class Wishes(Asked):
    """What a user wants to be told, and when."""

    kinds: Kinds = Kinds()
    agents: Annotated[dict[Id, bool], Field(max_length=MOST_AGENTS, default_factory=dict)]
    muted_contacts: Annotated[
        list[Id], Field(max_length=MOST_MUTED_CONTACTS, default_factory=list), AfterValidator(_each_once)
    ]
    quiet_hours: QuietHours | None = None
    time_zone: TimeZone = "UTC"
    language: Language = "en"
    digest: bool = True


class StoredKinds(Answered):
    """Which kinds of notification ring."""

    draft_ready: bool
    completed: bool
    failed: bool
    followup_due: bool


class StoredQuietHours(Answered):
    """From when until when nothing rings, HH:MM."""

    start: str = Field(alias="from")
    end: str = Field(alias="until")


class Preferences(Answered):
    """What is stored, complete."""

    kinds: StoredKinds
    agents: dict[str, bool]
    muted_contacts: list[str]
    quiet_hours: StoredQuietHours | None
    time_zone: str
    language: str
    digest: bool


def routes(gateway: Gateway) -> list[Route[Any]]:
    """Return the routes of this resource."""

    def read_preferences(call: Call[None]) -> Answer:
        stored = gateway.rpc("taskbell_preferences", {"p_user_id": call.user.id})
        return Answer(Preferences.model_validate(stored))

    def replace_preferences(call: Call[Wishes]) -> Answer:
        wishes: Json = call.body.model_dump(mode="json", by_alias=True)
        params: dict[str, Json] = {"p_user_id": call.user.id, "p_preferences": wishes}
        try:
            stored = gateway.rpc("taskbell_set_preferences", params)
        except GatewayError as error:
            if error.sqlstate != INVALID_PARAMETER_VALUE:
                raise
            raise Refused(BAD_BODY, detail="time_zone: the database does not know this time zone") from error
        return Answer(Preferences.model_validate(stored))

    return [
        Route(
            method="GET",
            path="/v1/preferences",
            summary="Read what rings, and when.",
            handler=read_preferences,
            answers={200: Preferences},
        ),
        Route(
            method="PUT",
            path="/v1/preferences",
            summary="Replace what rings, and when; what is left out takes its default.",
            handler=replace_preferences,
            body=Wishes,
            answers={200: Preferences},
        ),
    ]
