"""Writes down a change that a dashboard webhook brought, if the trigger has not done so already.

In: a `RowChange`. Out: the database's answer. Touches the gateway (`taskbell_record`), once.
"""

from typing import cast

from taskbell.errors import GatewayError, Unprocessable
from taskbell.gateway import Gateway
from taskbell.intake.parse import RowChange
from taskbell.model import Json


def record(gateway: Gateway, change: RowChange, *, timeout_seconds: float) -> dict[str, Json]:
    """Return `{"recorded": bool, "event_id": int | None, "reason": slug | None}`.

    A change that is already known is not recorded again and is no error. Raises Unprocessable
    (`unknown_table`,
    `row_refused`) and GatewayError (`database_unavailable`).
    """
    try:
        answer = gateway.rpc(
            "taskbell_record", {"p_payload": change.as_json()}, timeout_seconds=timeout_seconds
        )
    except GatewayError as error:
        # Class 22 is "data exception": the row itself is at fault, not the database.
        if error.sqlstate is not None and error.sqlstate.startswith("22"):
            raise Unprocessable("row_refused", "The database cannot read this row.") from error
        raise
    recorded = cast("dict[str, Json]", answer)
    if recorded.get("reason") == "unknown_table":
        raise Unprocessable("unknown_table", "This table is not one that Taskbell watches.")
    return recorded
