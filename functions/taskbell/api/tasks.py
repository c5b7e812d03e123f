"""/v1/tasks: assign a task to an agent, run a failed one again.

In: ids and instructions. Out: the task's id. Both run as the user, under row level security.
"""

import uuid
from typing import Any, Literal

from taskbell.api.refusal import Refusal, Refused
from taskbell.api.route import Answer, Call, Route
from taskbell.api.shapes import Answered, Asked, Id, Prose, RowId
from taskbell.gateway import Gateway
from taskbell.model import Json

UNKNOWN_CONTACT_OR_AGENT = Refusal(
    404, "unknown_contact_or_agent", "There is no such contact or no such agent, or it is not yours."
)
NO_FAILED_TASK = Refusal(404, "no_failed_task", "There is no failed task of that id, or it is not yours.")


class Assignment(Asked):
    """What an agent is to do, about whom."""

    contact_id: Id
    agent_id: Id
    instructions: Prose | None = None


class AssignedTask(Answered):
    """A new task."""

    task_id: RowId


class RetriedTask(Answered):
    """A task that waits for its agent again, or has already been taken up."""

    task_id: RowId
    status: Literal["pending", "in_progress"]


def routes(gateway: Gateway) -> list[Route[Any]]:
    """Return the routes of this resource."""

    def assign_task(call: Call[Assignment]) -> Answer:
        params: dict[str, Json] = {
            "p_contact_id": call.body.contact_id,
            "p_agent_id": call.body.agent_id,
            "p_instructions": call.body.instructions,
            # The gateway may ask twice when a connection breaks; the task is made once.
            "p_task_id": str(uuid.uuid4()),
        }
        task = gateway.rpc("taskbell_assign", params, call.user)
        if task is None:
            raise Refused(UNKNOWN_CONTACT_OR_AGENT)
        return Answer(AssignedTask.model_validate(task), status=201)

    def retry_task(call: Call[None]) -> Answer:
        params: dict[str, Json] = {"p_task_id": call.path["task_id"]}
        task = gateway.rpc("taskbell_retry_task", params, call.user)
        if task is None:
            raise Refused(NO_FAILED_TASK)
        return Answer(RetriedTask.model_validate(task))

    return [
        Route(
            method="POST",
            path="/v1/tasks",
            summary="Assign a task about a contact to an agent.",
            handler=assign_task,
            body=Assignment,
            answers={201: AssignedTask},
            refusals=(UNKNOWN_CONTACT_OR_AGENT,),
            cost=2.0,
        ),
        Route(
            method="POST",
            path="/v1/tasks/{task_id}/retry",
            summary="Let a failed task run again; done, too, where it already waits or runs.",
            handler=retry_task,
            answers={200: RetriedTask},
            refusals=(NO_FAILED_TASK,),
            cost=2.0,
        ),
    ]
