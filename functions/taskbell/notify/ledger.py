"""The dispatcher's questions to the database: claim, apply, settle; one round trip each.

In: decisions and outcomes. Out: claimed events and deliveries. Touches the gateway. What the database refuses
as a batch is asked again in halves, so that one poisoned event stands in nobody's way.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from taskbell.errors import GatewayError
from taskbell.gateway import Gateway
from taskbell.gateway.refusal import blames_parameters
from taskbell.model import Decision, Delivery, Event, Json, Model, Outcome

MIN_PATIENCE_SECONDS = 0.3
SETTLE_PATIENCE_SECONDS = 1.0
"""What a settle gets even when the budget is spent: what it saves is a push sent twice."""

SETTLE_TRIES = 3

log = logging.getLogger("taskbell.notify")

Parsed = TypeVar("Parsed", bound=Model)


@dataclass(frozen=True)
class Unreadable:
    """An event or delivery whose JSON we cannot read, as it came."""

    raw: dict[str, Any]


@dataclass(frozen=True)
class Claimed:
    """What was due and is ours for a while; `now` is the database's time, `more` says that there is more."""

    now: datetime
    more: bool
    events: tuple[Event, ...]
    deliveries: tuple[Delivery, ...]
    unreadable_events: tuple[Unreadable, ...] = ()
    unreadable_deliveries: tuple[Unreadable, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.events or self.deliveries or self.unreadable_events or self.unreadable_deliveries)


@dataclass(frozen=True)
class Applied:
    """What `apply` made of the decisions."""

    deliveries: tuple[Delivery, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    applied: int = 0
    superseded: int = 0
    notified: int = 0
    dead: int = 0

    def __add__(self, other: "Applied") -> "Applied":
        return Applied(
            self.deliveries + other.deliveries,
            self.unreadable + other.unreadable,
            self.applied + other.applied,
            self.superseded + other.superseded,
            self.notified + other.notified,
            self.dead + other.dead,
        )


@dataclass(frozen=True)
class Settled:
    """An outcome of one delivery, as the database wants it."""

    delivery_id: int
    lease: int
    origin: str
    outcome: Outcome

    def as_json(self) -> dict[str, Json]:
        """Return the JSON that `taskbell_settle` reads."""
        return {
            "delivery_id": self.delivery_id,
            "lease": self.lease,
            "origin": self.origin,
            "outcome": self.outcome.kind.value,
            "status_code": self.outcome.status_code,
            "reason": self.outcome.reason,
            "retry_after_seconds": self.outcome.retry_after_seconds,
        }


class Ledger:
    """Asks the database; `clock` is for tests, otherwise the database's own time counts everywhere."""

    def __init__(
        self, gateway: Gateway, *, lease_seconds: int, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._gateway = gateway
        self._lease_seconds = lease_seconds
        self._clock = clock

    def claim(self, limit: int, *, ends_at: float) -> Claimed:
        """Lease what is due, oldest first; raises GatewayError. `ends_at` is on the monotonic clock."""
        answer = self._ask(
            "taskbell_claim", {"p_limit": limit, "p_lease_seconds": self._lease_seconds}, ends_at
        )
        events, bad_events = _parse(Event, answer["events"])
        deliveries, bad_deliveries = _parse(Delivery, answer["deliveries"])
        now = datetime.fromisoformat(answer["now"])
        return Claimed(now, bool(answer["more"]), events, deliveries, bad_events, bad_deliveries)

    def apply(self, decisions: Sequence[Decision], *, ends_at: float) -> Applied:
        """Carry out decisions; raises GatewayError only where none of them is to blame."""
        return self._apply([decision.as_json() for decision in decisions], ends_at)

    def bury(self, event: Unreadable, *, ends_at: float) -> Applied:
        """End an event that we cannot read as a dead letter."""
        keys = ("task_id", "operation", "occurred_at")
        decision = {"event_id": event.raw.get("id"), **{key: event.raw.get(key) for key in keys}}
        return self._apply([{**decision, "dead": "unreadable", "recipients": []}], ends_at)

    def settle(self, outcomes: Sequence[Settled], *, ends_at: float) -> bool:
        """Write down outcomes and return whether that worked; tries again while it may help."""
        for attempt in range(SETTLE_TRIES):
            if attempt:
                time.sleep(0.05 * 4 ** (attempt - 1))
            patience = max(ends_at, time.monotonic() + SETTLE_PATIENCE_SECONDS)
            try:
                return self._settle(outcomes, patience)
            except GatewayError as error:
                log.warning("settle failed", extra={"fields": {"reason": error.reason, "try": attempt + 1}})
                if not error.temporary or time.monotonic() > patience:
                    return False
        return False

    def call_again(self, *, ends_at: float) -> None:
        """Ask for another run, for what this one has to leave; if that fails, the clock will ask."""
        try:
            self._ask("taskbell_call_again", {}, ends_at)
        except GatewayError as error:
            log.warning("not called again", extra={"fields": {"reason": error.reason}})

    def _apply(self, decisions: list[dict[str, Any]], ends_at: float) -> Applied:
        if not decisions:
            return Applied()
        try:
            answer = self._ask(
                "taskbell_apply", {"p_decisions": decisions, "p_lease_seconds": self._lease_seconds}, ends_at
            )
        except GatewayError as error:
            if not blames_parameters(error):
                raise
            return self._isolate(decisions, error, ends_at)
        deliveries, unreadable = _parse(Delivery, answer["deliveries"])
        counts = {key: int(answer[key]) for key in ("applied", "superseded", "notified")}
        dead = sum(1 for decision in decisions if decision.get("dead"))
        return replace(Applied(deliveries, unreadable, **counts), dead=dead)

    def _isolate(self, decisions: list[dict[str, Any]], error: GatewayError, ends_at: float) -> Applied:
        """Ask for each half; what is refused alone becomes a dead letter with the database's code."""
        if len(decisions) > 1:
            half = len(decisions) // 2
            return self._apply(decisions[:half], ends_at) + self._apply(decisions[half:], ends_at)
        (poison,) = decisions
        fields = {"event_id": poison.get("event_id"), "sqlstate": error.sqlstate}
        log.error("decision refused", extra={"fields": fields})
        if poison.get("dead"):
            return Applied()  # not even that; its lease ends, and after 8 attempts the database gives up
        reason = f"apply_refused:{error.sqlstate or 'unknown'}"
        return self._apply([{**poison, "dead": reason, "recipients": []}], ends_at)

    def _settle(self, outcomes: Sequence[Settled], ends_at: float) -> bool:
        """Write down outcomes; returns False if the database refused some of them for good."""
        if not outcomes:
            return True
        try:
            answer = self._ask(
                "taskbell_settle", {"p_outcomes": [one.as_json() for one in outcomes]}, ends_at
            )
        except GatewayError as error:
            if not blames_parameters(error) or len(outcomes) == 1:
                raise
            half = len(outcomes) // 2
            halves = [self.settle(part, ends_at=ends_at) for part in (outcomes[:half], outcomes[half:])]
            return all(halves)
        fields = {"stage": "settle", "settled": answer["settled"], "retired": answer["retired"]}
        log.info("settled", extra={"fields": fields})
        for origin in answer["blocked_origins"]:
            # Loudly: no user of this push service gets anything until somebody mends our set-up.
            log.error("push service refuses our VAPID key", extra={"fields": {"origin": origin}})
        return True

    def _ask(self, name: str, params: dict[str, Any], ends_at: float) -> dict[str, Any]:
        if self._clock is not None:
            params["p_now"] = self._clock().isoformat()
        patience = max(ends_at - time.monotonic(), MIN_PATIENCE_SECONDS)
        answer = self._gateway.rpc(name, params, timeout_seconds=patience)
        if not isinstance(answer, dict):
            raise GatewayError("database_refused", f"{name} answered with something that is no object.")
        return answer


def _parse(
    kind: type[Parsed], items: Sequence[dict[str, Any]]
) -> tuple[tuple[Parsed, ...], tuple[Unreadable, ...]]:
    """Parse each on its own, so that one that cannot be read does not hide the others."""
    good, bad = [], []
    for item in items:
        try:
            good.append(kind.model_validate(item))
        except ValidationError as error:
            # Only places and kinds of mistakes: the values are rows, names and keys.
            where = [
                ".".join(map(str, detail["loc"])) + ": " + detail["type"] for detail in error.errors()[:3]
            ]
            fields = {"id": item.get("id"), "where": where}
            log.error("unreadable", extra={"fields": fields})  # noqa: TRY400  its words hold values
            bad.append(Unreadable(item))
    return tuple(good), tuple(bad)
