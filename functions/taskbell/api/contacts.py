"""/v1/contacts: the list, one contact with everything its view shows, and "I have seen it".

In: a contact's id. Out: what that user may see of it. Reads run as the user; `seen` as the service, for the
verified user.
"""

from typing import Any

from taskbell.api.refusal import Refusal, Refused
from taskbell.api.route import Answer, Call, Route
from taskbell.api.shapes import Answered, RowId, Timestamp
from taskbell.gateway import Gateway
from taskbell.model import Json

UNKNOWN_CONTACT = Refusal(404, "unknown_contact", "There is no such contact, or it is not yours.")


class Contact(Answered):
    """A person that agents write to."""

    id: RowId
    name: str | None
    email: str | None = None
    company: str | None = None


class Agent(Answered):
    """Who works on tasks."""

    id: RowId
    name: str | None
    kind: str | None = None


class Contacts(Answered):
    """Everything there is to choose from."""

    contacts: list[Contact]
    agents: list[Agent]


class Task(Answered):
    """A task of a contact."""

    id: RowId
    agent_id: RowId | None
    agent_name: str | None
    task_type: str | None
    status: str | None
    error: str | None
    created_at: Timestamp | None
    started_at: Timestamp | None
    completed_at: Timestamp | None


class Draft(Answered):
    """A message an agent wrote, waiting for its reader's word."""

    id: RowId
    agent_id: RowId | None
    task_id: RowId | None
    subject: str | None
    body: str | None
    status: str | None
    created_at: Timestamp | None
    updated_at: Timestamp | None


class FollowUp(Answered):
    """Something to be done about a contact, later."""

    id: RowId
    agent_id: RowId | None
    scheduled_for: Timestamp | None
    status: str | None
    note: str | None


class Activity(Answered):
    """Something an agent did."""

    id: RowId
    agent_id: RowId | None
    task_id: RowId | None
    action: str | None
    details: Any
    created_at: Timestamp | None


class ContactView(Answered):
    """One contact with its tasks (active ones first), drafts, follow-ups and newest activity."""

    contact: Contact
    tasks: list[Task]
    drafts: list[Draft]
    followups: list[FollowUp]
    activity: list[Activity]


class Seen(Answered):
    """The inbox's version after the badge went."""

    version: int


def routes(gateway: Gateway) -> list[Route[Any]]:
    """Return the routes of this resource."""

    def list_contacts(call: Call[None]) -> Answer:
        return Answer(Contacts.model_validate(gateway.rpc("taskbell_contacts", {}, call.user)))

    def read_contact(call: Call[None]) -> Answer:
        params: dict[str, Json] = {"p_contact_id": call.path["contact_id"]}
        contact = gateway.rpc("taskbell_contact", params, call.user)
        if contact is None:
            raise Refused(UNKNOWN_CONTACT)
        return Answer(ContactView.model_validate(contact))

    def see_contact(call: Call[None]) -> Answer:
        params: dict[str, Json] = {"p_user_id": call.user.id, "p_contact_id": call.path["contact_id"]}
        return Answer(Seen.model_validate(gateway.rpc("taskbell_seen", params)))

    return [
        Route(
            method="GET",
            path="/v1/contacts",
            summary="List the contacts and agents that the user may see.",
            handler=list_contacts,
            answers={200: Contacts},
        ),
        Route(
            method="GET",
            path="/v1/contacts/{contact_id}",
            summary="Read one contact with its tasks, drafts, follow-ups and activity.",
            handler=read_contact,
            answers={200: ContactView},
            refusals=(UNKNOWN_CONTACT,),
        ),
        Route(
            method="POST",
            path="/v1/contacts/{contact_id}/seen",
            summary="Clear the contact's badge and cancel what was not sent yet.",
            handler=see_contact,
            answers={200: Seen},
        ),
    ]
