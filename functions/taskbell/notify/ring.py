"""A test message to one browser, sent and settled at once, so that its owner can hear that it works.

In: a user and a subscription. Out: the push service's verdict. Touches the gateway and the network.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from taskbell.gateway import Gateway
from taskbell.model import Delivery, Kind, Notification, Outcome, Preferences, Urgency
from taskbell.notify.deliver import Deliverer
from taskbell.notify.ledger import Ledger
from taskbell.notify.texts import TEXTS, language_of
from taskbell.notify.topic import topic

BUDGET_SECONDS = 10.0
TTL_SECONDS = 300
"""Who presses "send a test" looks at the screen now, not tomorrow."""


class TestBell:
    """Rings one browser; safe for many threads."""

    def __init__(
        self,
        gateway: Gateway,
        deliverer: Deliverer,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._gateway = gateway
        self._deliverer = deliverer
        self._ledger = Ledger(gateway, lease_seconds=int(BUDGET_SECONDS) + 20)
        self._clock = clock

    def ring(self, user_id: str, subscription_id: str) -> Outcome | None:
        """Return what became of the test, or None where the user has no such subscription.

        Raises GatewayError if the database does not answer.
        """
        stored = self._gateway.rpc("taskbell_preferences", {"p_user_id": user_id})
        notification = _word(user_id, subscription_id, Preferences.model_validate(stored))
        answer = self._gateway.rpc(
            "taskbell_test",
            {
                "p_user_id": user_id,
                "p_subscription_id": subscription_id,
                "p_notification": notification.as_json(),
            },
        )
        made = cast("dict[str, list[Any]]", answer)["deliveries"]
        deliveries = [Delivery.model_validate(one) for one in made]
        if not deliveries:
            return None
        ends_at = time.monotonic() + BUDGET_SECONDS
        outcomes = self._deliverer.deliver(deliveries, now=self._clock, budget_seconds=BUDGET_SECONDS)
        self._ledger.settle(outcomes, ends_at=ends_at)
        return outcomes[0].outcome


def _word(user_id: str, subscription_id: str, preferences: Preferences) -> Notification:
    language = language_of(preferences.language)
    name = topic(user_id, f"test:{subscription_id}", None)
    return Notification(
        kind=Kind.TEST,
        title=TEXTS[language].test_title,
        body=TEXTS[language].test,
        lang=language,
        url="/",
        tag=name,
        topic=name,
        urgency=Urgency.HIGH,
        ttl_seconds=TTL_SECONDS,
        sticky=False,
    )
