"""POST /v1/receipts: a browser says that a notification was shown, clicked or closed.

In: the token that came in the payload, which is all the proof there is: a worker may have no session. Out:
nothing. Touches the database as the service, only the delivery that the token names.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from taskbell.api.refusal import Refusal, Refused
from taskbell.api.route import Access, Answer, Call, Route
from taskbell.api.shapes import Asked
from taskbell.gateway import Gateway
from taskbell.model import Json

BAD_RECEIPT = Refusal(
    403, "bad_receipt", "The receipt's token is not one that came in a notification of ours."
)
OLDEST = timedelta(days=30)


class Receipt(Asked):
    """What became of a notification on a screen; `at` where the receipt had to wait for a network."""

    token: Annotated[str, StringConstraints(max_length=100, pattern=r"^[0-9]{1,19}\.[A-Za-z0-9_-]+$")]
    event: Literal["shown", "clicked", "closed"]
    at: AwareDatetime | None = Field(
        default=None, description="ISO 8601 with an offset; never later than now."
    )


def routes(
    gateway: Gateway, verify: Callable[[str], int | None], now: Callable[[], float]
) -> list[Route[Any]]:
    """Return the routes of this resource; `verify` returns the delivery's id of a token of ours."""

    def record_receipt(call: Call[Receipt]) -> Answer:
        delivery_id = verify(call.body.token)
        if delivery_id is None:
            raise Refused(BAD_RECEIPT)
        present = datetime.fromtimestamp(now(), UTC)
        params: dict[str, Json] = {
            "p_delivery_id": delivery_id,
            "p_event": call.body.event,
            "p_at": _plausible(call.body.at, present).isoformat(),
        }
        gateway.rpc("taskbell_receipt", params)
        return Answer(status=204)

    return [
        Route(
            method="POST",
            path="/v1/receipts",
            summary="Tell that a notification was shown, clicked or closed.",
            handler=record_receipt,
            access=Access.ADDRESS,
            body=Receipt,
            answers={204: None},
            refusals=(BAD_RECEIPT,),
        )
    ]


def _plausible(at: datetime | None, present: datetime) -> datetime:
    """Return the browser's time, kept within what its clock may claim."""
    return min(max(at or present, present - OLDEST), present)
