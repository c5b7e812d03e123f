"""GET /v1/inbox: what the badges show; made for being asked again and again.

In: If-None-Match, Prefer: wait. Out: the states of the user's contacts, or 304. Touches the database as that
user, and the gateway's inbox listener where it has one.
"""

import random
from typing import Any

from pydantic import Field

from taskbell.api.hold import HeldRequests
from taskbell.api.preconditions import entity_tag, known_versions, preferred_wait_seconds
from taskbell.api.route import Answer, Call, Parameter, Route
from taskbell.api.shapes import Answered, RowId, TaskStatus, Timestamp
from taskbell.gateway import Gateway
from taskbell.model import Json

SHORTEST_HOLD = 0.8
"""Of the time that was asked for, at random: pages that all came back at once spread out again."""


class ContactState(Answered):
    """What one agent's badge on one contact shows: the newest known state of its newest task."""

    contact_id: RowId
    contact_name: str = Field(description="Empty if it has none.")
    agent_id: RowId | None
    agent_name: str | None
    task_id: RowId
    status: TaskStatus
    reason: str | None = Field(description="Why it failed.")
    ready_at: Timestamp | None = Field(description="When the task ended.")
    changed_at: Timestamp
    unseen: bool
    event_id: int


class Inbox(Answered):
    """All badges of a user at one version."""

    version: int = Field(description="Grows with every change; also the ETag.")
    now: Timestamp = Field(description="The database's clock, for ages.")
    unseen: int = Field(description="How many contacts have something unseen: the app badge.")
    states: list[ContactState]


def routes(gateway: Gateway, held: HeldRequests) -> list[Route[Any]]:
    """Return the routes of this resource."""

    def read_inbox(call: Call[None]) -> Answer:
        known = known_versions(call.headers.getlist("If-None-Match"))
        wait_seconds = preferred_wait_seconds(call.headers.getlist("Prefer"))
        latest: dict[str, Any] = {}

        def changed() -> bool:
            params: dict[str, Json] = {"p_known_version": known.newest}
            latest.update(_object(gateway.rpc("taskbell_inbox", params, call.user)))
            return not known.has(latest["version"])

        changes = gateway.inbox_changes
        applied: dict[str, str] = {}
        if wait_seconds and changes and known.versions:
            with held.place(call.user.id) as place:
                if place.took_over:
                    changes.wake(call.user.id)
                if place.admitted:
                    # The listener asks after it began to listen: no change falls in between.
                    patience = wait_seconds * random.uniform(SHORTEST_HOLD, 1.0)  # noqa: S311
                    changes.wait(call.user.id, lambda: place.lost or changed(), patience)
                    applied = {} if place.lost else {"Preference-Applied": "wait"}
        if not latest:
            changed()
        headers = {"ETag": entity_tag(latest["version"]), **applied}
        if known.has(latest["version"]):
            return Answer(status=304, headers=headers)
        return Answer(Inbox.model_validate(latest), headers=headers)

    return [
        Route(
            method="GET",
            path="/v1/inbox",
            summary="Read all badges, or learn that nothing changed.",
            handler=read_inbox,
            answers={200: Inbox, 304: None},
            headers=(
                Parameter(name="If-None-Match", description='ETags of versions known: `"v7"`.'),
                Parameter(
                    name="Prefer",
                    description="`wait=N`: hold the answer up to N (at most 25) seconds until something "
                    "changes. Where the answer says `Preference-Applied: wait`, it was held; without it, "
                    "no place was free, or a newer request of yours took this one's.",
                ),
            ),
        )
    ]


def _object(value: Json) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("taskbell_inbox answered something that is no object")
    return value
