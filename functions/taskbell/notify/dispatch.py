"""The one place that orders the steps: claim → decide → apply → send → settle, until nothing is due.

In: a budget in seconds. Out: a `Summary` of counts. Touches the gateway (through `Ledger`) and the network
(through
`Deliverer`). May be stopped at any instant and run many times at once: what is not settled is leased, and due
again when the lease ends.
"""

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from taskbell.gateway import Gateway
from taskbell.model import Decision, Delivery, Event, Json, Operation, Outcome, OutcomeKind
from taskbell.notify.decide import decide, decide_all
from taskbell.notify.deliver import Deliverer, Pushes
from taskbell.notify.ledger import Applied, Claimed, Ledger, Settled, Unreadable

BATCH = 100
LEASE_SECONDS = 30
"""Longer than any budget: what is leased is not due for another dispatcher while this one works."""

SETTLE_RESERVE_SECONDS = 0.4
"""Kept of the budget for writing the outcomes down."""

log = logging.getLogger("taskbell.notify")


@dataclass
class Summary:
    """What a run did; `more` says that something due was left for the next one."""

    events: int = 0
    notified: int = 0
    superseded: int = 0
    dead: int = 0
    deliveries: int = 0
    accepted: int = 0
    retry: int = 0
    gone: int = 0
    rejected: int = 0
    misconfigured: int = 0
    expired: int = 0
    unsettled: int = 0
    more: bool = False

    def as_json(self) -> dict[str, Json]:
        """Return the counts as the webhook's answer shows them."""
        return asdict(self)

    def count(self, outcomes: Sequence[Settled]) -> None:
        """Add the outcomes of one batch."""
        self.deliveries += len(outcomes)
        for kind, count in Counter(one.outcome.kind for one in outcomes).items():
            setattr(self, kind.value, getattr(self, kind.value) + count)


class Dispatcher:
    """Does what is due; holds no state between runs, so that any number of threads may share it.

    `public_url` has no trailing slash, `secrets` sign receipts. `clock` and `chance` are for tests: without a
    clock the database's time counts, and a function whose clock is wrong changes nothing.
    """

    def __init__(
        self,
        gateway: Gateway,
        sender: Pushes,
        *,
        public_url: str,
        secrets: Sequence[str],
        clock: Callable[[], datetime] | None = None,
        chance: Callable[[], float] = random.random,
        batch: int = BATCH,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self._ledger = Ledger(gateway, lease_seconds=lease_seconds, clock=clock)
        self._deliverer = Deliverer(sender, public_url=public_url, secrets=secrets, chance=chance)
        self._clock = clock
        self._batch = batch
        self._lease_seconds = lease_seconds

    def run(self, budget_seconds: float) -> Summary:
        """Dispatch batches until nothing is due or the budget ends; raises GatewayError if nobody answers."""
        ends_at = time.monotonic() + budget_seconds
        summary = Summary()
        more = True
        while more:
            if ends_at - time.monotonic() <= SETTLE_RESERVE_SECONDS and summary.events + summary.deliveries:
                summary.more = True
                break
            asked_at = time.monotonic()
            claimed = self._ledger.claim(self._batch, ends_at=ends_at)
            if not claimed:
                break
            more = self._one_batch(claimed, summary, asked_at, ends_at) and claimed.more
        if summary.events or summary.deliveries:
            log.info("dispatched", extra={"fields": {"stage": "dispatch", **summary.as_json()}})
        return summary

    def _one_batch(self, claimed: Claimed, summary: Summary, asked_at: float, ends_at: float) -> bool:
        """Take one batch all the way; returns False where going on makes no sense."""
        now = self._time_from(claimed, asked_at)
        decisions = _decide(claimed.events, claimed.now)
        applied = self._ledger.apply(decisions, ends_at=ends_at)
        for event in claimed.unreadable_events:
            applied += self._ledger.bury(event, ends_at=ends_at)
        _count(summary, claimed, applied)
        outcomes = [_rejected(one) for one in (*claimed.unreadable_deliveries, *applied.unreadable)]
        deliveries = [*applied.deliveries, *_not_overtaken(claimed.deliveries, decisions)]
        budget = max(ends_at - time.monotonic() - SETTLE_RESERVE_SECONDS, 0.1)
        leased = self._lease_seconds - (now() - claimed.now).total_seconds()
        if leased > 0:
            budget = min(budget, leased)
            outcomes += self._deliverer.deliver(deliveries, now=now, budget_seconds=budget)
        else:
            # A platform may let a process sleep for minutes: by now, these are somebody else's.
            log.warning("slept past the lease", extra={"fields": {"deliveries": len(deliveries)}})
        settled = self._ledger.settle(outcomes, ends_at=ends_at)
        summary.count(outcomes)
        summary.unsettled += 0 if settled else len(outcomes)
        return settled

    def _time_from(self, claimed: Claimed, asked_at: float) -> Callable[[], datetime]:
        """Return a clock that goes on from the database's time when it was asked."""
        if self._clock is not None:
            return self._clock
        return lambda: claimed.now + timedelta(seconds=time.monotonic() - asked_at)


def _decide(events: Sequence[Event], now: datetime) -> list[Decision]:
    """Decide all; an event that no decision can be made for becomes a dead letter, the others go on."""
    try:
        return decide_all(events, now)
    except Exception:  # once more one by one, to find which
        return [_decide_or_bury(event, now) for event in events]


def _decide_or_bury(event: Event, now: datetime) -> Decision:
    try:
        return decide(event, now)
    except Exception as error:  # whatever it is, it must not hold up the others
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
    return Settled(delivery.raw["id"], delivery.raw["attempt"], str(origin), verdict)


def _count(summary: Summary, claimed: Claimed, applied: Applied) -> None:
    summary.events += len(claimed.events) + len(claimed.unreadable_events)
    summary.notified += applied.notified
    summary.superseded += applied.superseded
    summary.dead += applied.dead
