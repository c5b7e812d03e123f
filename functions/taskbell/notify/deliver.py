"""From deliveries to outcomes: pack, encode, send, judge.

In: deliveries and the time. Out: one `Settled` for each. Touches the sender, and through it the network.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from taskbell.model import Delivery, Outcome, OutcomeKind
from taskbell.notify.digest import Parcel, pack
from taskbell.notify.ledger import Settled
from taskbell.notify.message import payload, ttl_seconds
from taskbell.notify.outcome import NOT_SENT, outcome
from taskbell.notify.receipt import receipt_token
from taskbell.push import PushMessage, PushResponse, endpoint_label

log = logging.getLogger("taskbell.notify")


class Pushes(Protocol):
    """What sends; `taskbell.push.Sender` does."""

    def send(self, messages: Sequence[PushMessage], *, budget_seconds: float) -> list[PushResponse]:
        """Return one response for each message, in order, within the budget; never raises for a message."""
        ...


class Deliverer:
    """Sends deliveries and judges the answers; `chance` yields 0 to 1."""

    def __init__(
        self,
        sender: Pushes,
        *,
        public_url: str,
        secrets: Sequence[str],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._sender = sender
        self._public_url = public_url
        self._secrets = secrets
        self._chance = chance

    def deliver(
        self, deliveries: Sequence[Delivery], *, now: Callable[[], datetime], budget_seconds: float
    ) -> list[Settled]:
        """Return an outcome for each delivery; those that travelled in one message share the answer."""
        parcels, messages, settled = [], [], []
        for parcel in pack(deliveries):
            try:
                messages.append(self._message(parcel.delivery, now()))
                parcels.append(parcel)
            except Exception as error:  # a message that cannot be made must not hold up the others
                log.error("message not made", extra={"fields": {"error": type(error).__name__}})  # noqa: TRY400
                unmade = Outcome(OutcomeKind.REJECTED, reason="bad_payload")
                settled += [_settled(one, unmade) for one in parcel.stands_for]
        responses = self._sender.send(messages, budget_seconds=budget_seconds) if messages else []
        answered_at = now()
        for parcel, response in zip(parcels, responses, strict=True):
            settled += self._judge(parcel, response, answered_at)
        if deliveries:
            counts = Counter(
                "not_sent" if one.outcome.reason in NOT_SENT else one.outcome.kind.value for one in settled
            )
            fields = {"stage": "send", "messages": len(messages), **counts}
            log.info("sent", extra={"fields": fields})
        return settled

    def _message(self, delivery: Delivery, now: datetime) -> PushMessage:
        subscription, notification = delivery.subscription, delivery.notification
        return PushMessage(
            endpoint=subscription.endpoint,
            p256dh=subscription.p256dh,
            auth=subscription.auth,
            vapid_public_key=subscription.vapid_public_key,
            payload=payload(delivery, self._public_url, receipt_token(delivery.id, self._secrets)),
            ttl_seconds=ttl_seconds(delivery, now),
            urgency=notification.urgency.value,
            topic=notification.topic,
        )

    def _judge(self, parcel: Parcel, response: PushResponse, now: datetime) -> list[Settled]:
        chance = self._chance()  # one for all: what travelled together comes back together
        judged = [
            outcome(response, attempt=one.attempt, now=now, expires_at=one.expires_at, random=lambda: chance)
            for one in parcel.stands_for
        ]
        # What there was no time for is no news of its push service: the counts tell.
        if judged[0].kind is not OutcomeKind.ACCEPTED and judged[0].reason not in NOT_SENT:
            fields = {
                "stage": "send",
                "delivery_id": parcel.delivery.id,
                "push": endpoint_label(parcel.delivery.subscription.endpoint),
                "outcome": judged[0].kind.value,
                "reason": judged[0].reason,
                "attempt": parcel.delivery.attempt,
            }
            log.warning("not accepted", extra={"fields": fields})
        return [_settled(one, verdict) for one, verdict in zip(parcel.stands_for, judged, strict=True)]


def _settled(delivery: Delivery, verdict: Outcome) -> Settled:
    return Settled(delivery.id, delivery.lease, delivery.subscription.origin, verdict)
