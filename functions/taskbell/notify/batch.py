"""One batch on its way: prepared (decided and applied), then finished (sent and settled).

In: what was claimed. Out: `Prepared`, and then `Finished`. Touches the gateway (through `Ledger`) and the
network (through `Deliverer`). Both halves may run in different threads, and halves of different batches at
the same time.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from taskbell.model import Decision, Delivery, Event, Json, Operation, Outcome, OutcomeKind
from taskbell.notify.decide import decide, decide_all
from taskbell.notify.deliver import Deliverer
from taskbell.notify.ledger import Applied, Claimed, Ledger, Settled, Unreadable

SETTLE_RESERVE_SECONDS = 0.4
"""Kept of the budget for writing the outcomes down."""

log = logging.getLogger("taskbell.notify")


@dataclass(frozen=True)
class Prepared:
    """What is left to send of a batch, what is known without sending, and the database's clock."""

    claimed: Claimed
    applied: Applied
    deliveries: Sequence[Delivery]
    known: Sequence[Settled]
    now: Callable[[], datetime]
    asked_at: float


@dataclass(frozen=True)
class Finished:
    """The outcomes of a batch, whether they are written down, and how long it all took."""

    outcomes: Sequence[Settled]
    settled: bool
    seconds: float


@dataclass(frozen=True)
class Batches:
    """Takes batches all the way; holds no state between them."""

    ledger: Ledger
    deliverer: Deliverer
    lease_seconds: int
    clock: Callable[[], datetime] | None = None

    def prepare(self, claimed: Claimed, asked_at: float, *, ends_at: float) -> Prepared:
        """Decide and apply what was claimed at `asked_at`; raises GatewayError if nobody answers.

        `asked_at` and `ends_at` are on the monotonic clock.
        """
        decisions = decide_all(claimed.events, claimed.now, decide_or_bury)
        applied = self.ledger.apply(decisions, ends_at=ends_at)
        for event in claimed.unreadable_events:
            applied += self.ledger.bury(event, ends_at=ends_at)
        return Prepared(
            claimed=claimed,
            applied=applied,
            deliveries=[*applied.deliveries, *_not_overtaken(claimed.deliveries, decisions)],
            known=[_rejected(one) for one in (*claimed.unreadable_deliveries, *applied.unreadable)],
            now=self._time_from(claimed, asked_at),
            asked_at=asked_at,
        )

    def finish(self, batch: Prepared, *, ends_at: float) -> Finished:
        """Send and settle; never raises for what push services or the database do."""
        budget = max(ends_at - time.monotonic() - SETTLE_RESERVE_SECONDS, 0.1)
        leased = self.lease_seconds - (batch.now() - batch.claimed.now).total_seconds()
        outcomes = list(batch.known)
        if leased > 0:
            outcomes += self.deliverer.deliver(
                batch.deliveries, now=batch.now, budget_seconds=min(budget, leased)
            )
        else:
            # A platform may let a process sleep for minutes: by now, these are somebody else's.
            log.warning("slept past the lease", extra={"fields": {"deliveries": len(batch.deliveries)}})
        settled = self.ledger.settle(outcomes, ends_at=ends_at)
        return Finished(outcomes, settled, time.monotonic() - batch.asked_at)

    def _time_from(self, claimed: Claimed, asked_at: float) -> Callable[[], datetime]:
        """Return a clock that goes on from the database's time when it was asked."""
        if self.clock is not None:
            return self.clock
        return lambda: claimed.now + timedelta(seconds=time.monotonic() - asked_at)


def decide_or_bury(event: Event, now: datetime, rung: Counter[str]) -> Decision:
    """Decide; an event that no decision can be made for becomes a dead letter, the others go on."""
    try:
        return decide(event, now, rung)
    except Exception as error:
        fields: dict[str, Json] = {"event_id": event.id, "error": type(error).__name__}
        log.error("undecidable", extra={"fields": fields})  # noqa: TRY400
        return Decision(
            event_id=event.id,
            task_id=event.task_id,
            operation=event.operation,
            occurred_at=event.occurred_at,
            dead="undecidable",
        )


def _not_overtaken(deliveries: Sequence[Delivery], decisions: Sequence[Decision]) -> list[Delivery]:
    """Return the deliveries that no decision of the same batch has ended.

    They were claimed together with an event that deletes their task or replaces them on screen. Where `apply`
    did not end them after all, they come back when their lease ends.
    """
    deleted = {one.task_id for one in decisions if one.operation is Operation.DELETE}
    replaced = {
        (one.user_id, one.notification.tag)
        for decision in decisions
        for one in decision.recipients
        if one.notification is not None
    }
    return [
        one
        for one in deliveries
        if one.notification.task_id not in deleted
        and (one.notification.user_id, one.notification.tag) not in replaced
    ]


def _rejected(delivery: Unreadable) -> Settled:
    subscription = delivery.raw.get("subscription")
    origin = subscription.get("origin") if isinstance(subscription, dict) else None
    verdict = Outcome(OutcomeKind.REJECTED, reason="unreadable")
    return Settled(delivery.raw["id"], delivery.raw["lease"], str(origin), verdict)
