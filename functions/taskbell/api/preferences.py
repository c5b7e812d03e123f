"""/v1/preferences: what rings, and when.

In: what is to change, as a JSON Merge Patch (RFC 7396): what is left out stays; kinds, agents and the two
ends of the quiet hours each change by themselves; null is the way back to the default. Out: the whole set as
stored. Touches the database as the service, for the verified user: it merges, so that browsers do not undo
each other.
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
# SQLSTATE → what only the database can tell: its list of time zones may be older or newer than ours, and the
# rest is wrong only together with what is stored.
REFUSED_BY_DATABASE = {
    "22023": "time_zone: the database does not know this time zone",
    "23514": "quiet_hours: they need two ends that are apart, or send null",
    "54000": f"agents: there are wishes for {MOST_AGENTS} already; send null for those that are gone",
}


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

    draft_ready: bool | None = None
    completed: bool | None = None
    failed: bool | None = None
    followup_due: bool | None = None


class QuietHours(Asked):
    """From when until when nothing rings, by the clock of the user's time zone; may span midnight."""

    start: ClockTime | None = Field(None, alias="from")
    end: ClockTime | None = Field(None, alias="until")

    @model_validator(mode="after")
    def _last_some_time(self) -> "QuietHours":
        if not self.model_fields_set:
            raise ValueError("say from when, until when, or both; or send null")
        if self.start is not None and self.start == self.end:
            raise ValueError("begin and end are the same minute: set them apart, or send null")
        return self


class Change(Asked):
    """What a user wants to be told from now on: a JSON Merge Patch of the preferences (RFC 7396)."""

    kinds: Kinds | None = None
    agents: Annotated[dict[Id, bool | None], Field(max_length=MOST_AGENTS)] | None = None
    muted_contacts: (
        Annotated[list[Id], Field(max_length=MOST_MUTED_CONTACTS), AfterValidator(_each_once)] | None
    ) = None
    quiet_hours: QuietHours | None = None
    time_zone: TimeZone | None = None
    language: Language | None = None
    digest: bool | None = None


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

    def change_preferences(call: Call[Change]) -> Answer:
        change: Json = call.body.model_dump(mode="json", by_alias=True, exclude_unset=True)
        params: dict[str, Json] = {"p_user_id": call.user.id, "p_change": change}
        try:
            stored = gateway.rpc("taskbell_change_preferences", params)
        except GatewayError as error:
            if error.sqlstate not in REFUSED_BY_DATABASE:
                raise
            raise Refused(BAD_BODY, detail=REFUSED_BY_DATABASE[error.sqlstate]) from error
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
            method="PATCH",
            path="/v1/preferences",
            summary="Change some of what rings, and when: a JSON Merge Patch (RFC 7396).",
            handler=change_preferences,
            body=Change,
            answers={200: Preferences},
        ),
    ]
