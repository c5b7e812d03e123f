"""What one push costs this process, and how much of it is what the curve itself costs.

In: nothing. Out: microseconds of processor time. Touches: one loopback port, a process that serves it. Run
alone: `python -m tests.bench.cpu_per_push`.

Parts of one way, each measured by itself in turn, so that a busy machine is busy for all: raw P-256 (a new
key pair and one agreement, without which no message can be encrypted), `encrypt`, `Sender.send`, and all from
a delivery as the database hands it over to its outcome. The push service answers at once, on the other core.
Python collects garbage as rarely as in our functions.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from taskbell.app import collect_rarely
from taskbell.model import Delivery, Kind, SentNotification, Subscription, Urgency
from taskbell.notify.deliver import Deliverer
from taskbell.notify.message import payload
from taskbell.notify.receipt import receipt_token
from taskbell.push import AllowedOrigins, PushMessage, Sender, encrypt
from tests.bench.section import Figures, Progress, alone
from tests.bench.sending import push_service
from tests.functions.bell import SECRET
from tests.stand_ins.push_messages import new_vapid
from tests.stand_ins.push_service_rules import BrowserKeys

TITLE = "processor time of one push, and of its parts"
PUSHES, ROUNDS = 1000, 9
PUBLIC_URL = "https://bell.example"
NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)

Part = Callable[[], None]


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Return the median of each part, in µs of processor time for one push, and what follows from them."""
    pushes, rounds = (50, 1) if quick else (PUSHES, ROUNDS)
    collect_rarely()
    with tempfile.TemporaryDirectory() as folder, push_service(0, Path(folder)) as place:
        vapid = new_vapid(place.private_key)
        deliveries = [_delivery(number, place.origin, vapid.public_key) for number in range(pushes)]
        messages = [_message(one) for one in deliveries]
        allowed = AllowedOrigins([place.origin])
        with Sender(vapid, allowed_origins=allowed, ca_file=place.ca_file) as sender:
            deliverer = Deliverer(sender, public_url=PUBLIC_URL, secrets=[SECRET])

            def send() -> None:
                answers = sender.send(messages, budget_seconds=60)
                assert {201} == {answer.status_code for answer in answers}

            def deliver() -> None:
                settled = deliverer.deliver(deliveries, now=lambda: NOW, budget_seconds=60)
                assert {"accepted"} == {one.outcome.kind.value for one in settled}

            parts: dict[str, Part] = {
                "raw_p256_us": lambda: _raw_p256(pushes),
                "encryption_us": lambda: _encrypt(messages),
                "sending_us": send,
                "whole_path_us": deliver,
            }
            taken = _rounds(parts, pushes, rounds, progress)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    return {
        **{name: round(value, 1) for name, value in medians.items()},
        "request_us": round(medians["sending_us"] - medians["encryption_us"], 1),
        "message_and_outcome_us": round(medians["whole_path_us"] - medians["sending_us"], 1),
        "encryption_of_raw_p256": round(medians["raw_p256_us"] / medians["encryption_us"], 3),
        "best": {name: round(min(times), 1) for name, times in taken.items()},
        "rounds": rounds,
        "pushes_a_round": pushes,
    }


def _rounds(parts: dict[str, Part], pushes: int, rounds: int, progress: Progress) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for part in parts.values():
        part()  # warm: what is loaded at the first push, the connection, the VAPID token
    for number in range(rounds):
        progress(number / rounds, f"round {number + 1} of {rounds}")
        for name, part in parts.items():
            started = time.process_time()
            part()
            taken[name].append((time.process_time() - started) / pushes * 1e6)
    return taken


def _raw_p256(count: int) -> None:
    receiver = ec.generate_private_key(ec.SECP256R1()).public_key()
    for _ in range(count):
        ec.generate_private_key(ec.SECP256R1()).exchange(ec.ECDH(), receiver)


def _encrypt(messages: list[PushMessage]) -> None:
    for message in messages:
        encrypt(message.payload, message.p256dh, message.auth)


def _message(delivery: Delivery) -> PushMessage:
    subscription = delivery.subscription
    return PushMessage(
        endpoint=subscription.endpoint,
        p256dh=subscription.p256dh,
        auth=subscription.auth,
        vapid_public_key=subscription.vapid_public_key,
        payload=payload(delivery, PUBLIC_URL, receipt_token(delivery.id, [SECRET])),
        ttl_seconds=86_400,
        urgency="normal",
        topic=delivery.notification.topic,
    )


def _delivery(number: int, origin: str, vapid_public_key: str) -> Delivery:
    """Return one as the database hands it over: every subscription has keys of its own."""
    return Delivery(
        id=number + 1,
        lease=1,
        attempt=1,
        occurred_at=NOW,
        expires_at=NOW + timedelta(days=1),
        app_badge=2,
        notification=SentNotification(
            id=number + 1,
            event_id=number + 1,
            user_id=f"0b7c7d0e-0000-4000-8000-{number:012d}",
            task_id=f"1b7c7d0e-0000-4000-8000-{number:012d}",
            contact_id=f"2b7c7d0e-0000-4000-8000-{number:012d}",
            agent_id="00000000-0000-4000-8000-000000000001",
            kind=Kind.DRAFT_READY,
            title="Draft ready for Ada Lovelace",
            body="Outreach Agent",
            lang="en",
            url=f"/?contact=2b7c7d0e-0000-4000-8000-{number:012d}",
            tag=f"{number:032d}",
            topic=f"{number:032d}",
            urgency=Urgency.NORMAL,
            ttl_seconds=86_400,
            contact_name="Ada Lovelace",
            agent_name="Outreach Agent",
        ),
        subscription=Subscription(
            id=f"3b7c7d0e-0000-4000-8000-{number:012d}",
            endpoint=f"{origin}/wpush/v2/{number:0150d}",
            origin=origin,
            vapid_public_key=vapid_public_key,
            **BrowserKeys().public_keys(),
        ),
    )


def main() -> int:
    """Run it alone."""
    return alone(__spec__.name)


if __name__ == "__main__":
    sys.exit(main())
