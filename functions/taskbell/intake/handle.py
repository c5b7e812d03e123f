"""The requests of the functions `webhook` and `sweep`, and their answers.

In: a Flask request. Out: a JSON response with counts, or `{"error": {"reason", "message"}}`; never a
traceback. Touches the gateway (through `record`) and whatever `dispatch` does, for less than 3 seconds
(sweep: 5).

Both functions ask for a signature: pg_net cannot make OIDC tokens. The sweep also believes the token of one
scheduler, if it is told of one.
"""

import json
import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Request, Response

from taskbell.errors import GatewayError, MethodNotAllowed, RequestError, Unavailable
from taskbell.gateway import Gateway
from taskbell.intake.parse import MAX_BODY_BYTES, RowChange, WakeUp, parse, too_large
from taskbell.intake.patience import Patience, StillWorking
from taskbell.intake.record import record
from taskbell.intake.verify import Headers, is_signed, verify
from taskbell.model import Json


@dataclass(frozen=True)
class Limits:
    """Seconds from the start of a request: for all its work, and until it is answered even if work hangs."""

    work_seconds: float
    answer_seconds: float


WEBHOOK = Limits(2.5, 2.8)
"""pg_net holds up everybody else's webhooks while it waits; what is not done stays leased for the sweep."""

SWEEP = Limits(4.5, 4.8)
"""A second chance for push services that take longer; pg_net gives the clock's call 5 seconds."""

log = logging.getLogger("taskbell.intake")

Body = dict[str, Json]
Prepare = Callable[[Headers, bytes], Callable[[float], Body]]
"""Checks who sent what and returns the work to do, which is told when (monotonic clock) it has to end."""


@dataclass(frozen=True)
class Intake:
    """Answers webhooks and sweeps.

    `dispatch` does what is due within a number of seconds and returns counts; `secrets` are `whsec_…`, any of
    which may sign; `now` is Unix time in seconds.
    """

    gateway: Gateway
    dispatch: Callable[[float], Body]
    secrets: tuple[str, ...]
    now: Callable[[], float] = time.time
    patience: Patience = field(default_factory=Patience)
    scheduler: Callable[[str], None] | None = None

    def webhook(self, request: Request) -> Response:
        """Answer a wake-up or a dashboard webhook."""
        return self._answer("webhook", request, self._webhook, WEBHOOK)

    def sweep(self, request: Request) -> Response:
        """Answer the clock: dispatch whatever is due; the body may say anything."""
        return self._answer("sweep", request, self._sweep, SWEEP)

    def _webhook(self, headers: Headers, body: bytes) -> Callable[[float], Body]:
        verify(headers, body, secrets=self.secrets, now=self.now())
        payload = parse(body)
        return lambda ends_at: self._take_in(payload, ends_at)

    def _sweep(self, headers: Headers, body: bytes) -> Callable[[float], Body]:
        token = headers.get("authorization")
        if self.scheduler is not None and token is not None and not is_signed(headers):
            self.scheduler(token)
        else:
            verify(headers, body, secrets=self.secrets, now=self.now())
        return lambda ends_at: {"dispatched": self.dispatch(_left(ends_at))}

    def _take_in(self, payload: WakeUp | RowChange, ends_at: float) -> Body:
        if isinstance(payload, WakeUp):
            return {"dispatched": self.dispatch(_left(ends_at))}
        recorded = record(self.gateway, payload, timeout_seconds=_left(ends_at))
        try:
            return {"recorded": recorded, "dispatched": self.dispatch(_left(ends_at))}
        except GatewayError as error:
            # The change is written down: for the sender all is well, and the sweep does the rest.
            log.warning("dispatch put off", extra={"fields": {"reason": error.reason}})
            return {"recorded": recorded, "dispatched": None}

    def _answer(self, name: str, request: Request, prepare: Prepare, limits: Limits) -> Response:
        started = time.monotonic()
        status_code, body = self._outcome(request, prepare, limits, started)
        error = body.get("error")
        fields: dict[str, Json] = {
            "stage": name,
            "status_code": status_code,
            "milliseconds": round((time.monotonic() - started) * 1000, 1),
            **({"reason": error["reason"]} if isinstance(error, dict) else body),
        }
        log.log(logging.WARNING if error else logging.INFO, "answered", extra={"fields": fields})
        response = Response(json.dumps(body), status_code, content_type="application/json")
        response.headers["cache-control"] = "no-store"
        response.headers["x-content-type-options"] = "nosniff"
        if status_code == MethodNotAllowed.status_code:
            response.headers["allow"] = "POST"
        return response

    def _outcome(
        self, request: Request, prepare: Prepare, limits: Limits, started: float
    ) -> tuple[int, Body]:
        try:
            body = _read(request)
            work = prepare(request.headers, body)
            ends_at = started + limits.work_seconds
            return 200, self.patience.wait_for(
                lambda: work(ends_at), seconds=limits.answer_seconds - (time.monotonic() - started)
            )
        except StillWorking:
            return 200, {"dispatched": None, "unfinished": True}
        except RequestError as error:
            return error.status_code, dict(error.as_json())
        except GatewayError as error:
            refusal = Unavailable(error.reason, "The database did not do its part; nothing is lost.")
            return refusal.status_code, dict(refusal.as_json())
        except Exception as error:  # the edge: nobody outside sees a traceback
            # The error's own words might hold a body or a key: its kind and place are enough.
            place = traceback.format_tb(error.__traceback__)[-3:]
            fields = {"reason": "internal_error", "error": type(error).__name__, "place": place}
            log.error("failed", extra={"fields": fields})  # noqa: TRY400
            return 500, {
                "error": {"reason": "internal_error", "message": "This is our mistake; see the log."}
            }


def _left(ends_at: float) -> float:
    return max(ends_at - time.monotonic(), 0.05)


def _read(request: Request) -> bytes:
    """Return the body of a POST; raises BodyTooLarge without reading on, whatever content-length says."""
    if request.method != "POST":
        raise MethodNotAllowed("method_not_allowed", "Send a POST.")
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise too_large()
    body = request.stream.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise too_large()
    return body
