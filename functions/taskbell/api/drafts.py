"""/v1/drafts: a person's word on what an agent wrote.

In: approved or rejected. Out: the draft's status. Runs as the user, under row level security.
"""

from typing import Any, Literal

from taskbell.api.refusal import Refusal, Refused
from taskbell.api.route import Answer, Call, Route
from taskbell.api.shapes import Answered, Asked, RowId
from taskbell.gateway import Gateway
from taskbell.model import Json

UNKNOWN_DRAFT = Refusal(404, "unknown_draft", "There is no such draft to review, or it is not yours.")


class Review(Asked):
    """The verdict."""

    status: Literal["approved", "rejected"]


class ReviewedDraft(Answered):
    """A draft after its review."""

    id: RowId
    status: str


def routes(gateway: Gateway) -> list[Route[Any]]:
    """Return the routes of this resource."""

    def review_draft(call: Call[Review]) -> Answer:
        params: dict[str, Json] = {"p_draft_id": call.path["draft_id"], "p_status": call.body.status}
        draft = gateway.rpc("taskbell_review_draft", params, call.user)
        if draft is None:
            raise Refused(UNKNOWN_DRAFT)
        return Answer(ReviewedDraft.model_validate(draft))

    return [
        Route(
            method="POST",
            path="/v1/drafts/{draft_id}/review",
            summary="Approve or reject a draft.",
            handler=review_draft,
            body=Review,
            answers={200: ReviewedDraft},
            refusals=(UNKNOWN_DRAFT,),
        )
    ]
